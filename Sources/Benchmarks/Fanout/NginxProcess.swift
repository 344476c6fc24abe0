import CLinux

/// nginx with nchan, for comparison, if both are installed.
final class NginxProcess {
    private static let module = "/usr/lib/nginx/modules/ngx_nchan_module.so"

    static let publishPath = "/pub"
    static let streamPath = "/sub"
    /// Channels of single users.
    static let userPublishPath = "/user-pub?id=USER"
    static func userStreamPath(_ user: String) -> String { "/user-sub?id=\(user)" }

    let port: UInt16
    let process: ChildProcess

    /// Nil if nginx or nchan is not installed.
    init?(connections: Int, in folder: TemporaryFolder) throws(BenchmarkError) {
        guard let program = ChildProcess.find("nginx"), access(Self.module, R_OK) == 0 else { return nil }
        port = clinux_free_port()
        let file = try folder.write(Self.config(port, connections, folder.path), as: "nginx.conf")
        // A master that is asked to end takes its workers along; one that is killed leaves them.
        process = try ChildProcess(
            program, ["-c", file, "-p", folder.path, "-e", folder.path + "/nginx-error.log"], output: folder.path + "/nginx.log",
            deathSignal: SIGTERM)
        let port = port
        let serves = MonotonicClock.wait(atMost: 10) { HTTPProbe.status(port: port, path: "/alive") == 204 }
        guard serves else {
            let reason = process.output + ProcFile.text(folder.path + "/nginx-error.log")
            process.stop()
            throw BenchmarkError("nginx does not serve: \(reason)")
        }
    }

    deinit {
        process.stop()
    }

    private static func config(_ port: UInt16, _ connections: Int, _ folder: String) -> String {
        """
        load_module \(module);
        daemon off;
        user \(userName);
        pid \(folder)/nginx.pid;
        worker_processes auto;
        worker_rlimit_nofile \(connections + 1_000);
        events { worker_connections \(connections + 500); multi_accept on; use epoll; }
        http {
          access_log off;
          keepalive_requests 1000000000;
          client_body_temp_path \(folder)/body;
          proxy_temp_path \(folder)/proxy;
          fastcgi_temp_path \(folder)/fastcgi;
          uwsgi_temp_path \(folder)/uwsgi;
          scgi_temp_path \(folder)/scgi;
          nchan_shared_memory_size 128M;
          server {
            listen 127.0.0.1:\(port) backlog=4096;
            location = /alive { return 204; }
            location = \(publishPath) { nchan_publisher; nchan_channel_id all; nchan_message_buffer_length 10; }
            location = \(streamPath) { nchan_subscriber eventsource; nchan_channel_id all; nchan_subscriber_first_message newest; }
            location = /user-pub { nchan_publisher; nchan_channel_id $arg_id; nchan_message_buffer_length 10; }
            location = /user-sub { nchan_subscriber eventsource; nchan_channel_id $arg_id; nchan_subscriber_first_message newest; }
          }
        }
        """
    }

    /// Workers keep the user that runs the benchmark, who owns its folder.
    private static var userName: String {
        guard let entry = getpwuid(geteuid()), let name = entry.pointee.pw_name else { return "nobody" }
        return String(cString: name)
    }
}
