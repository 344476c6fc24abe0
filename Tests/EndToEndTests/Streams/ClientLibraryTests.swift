import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Others' clients read a stream, leave, and resume it by the id that they have.
    @Suite struct ClientLibraryTests {
        @Test(arguments: ["sseclient-py", "httpx-sse", "curl"])
        func aClientResumes(_ library: String) async throws {
            let folder = try TemporaryFolder()
            let host = try await HostProcess.startShipped(in: folder)
            let url = "http://\(host.address)\(HostProcess.streamPath(of: "bob"))"
            async let first = Self.read(library, url, "", 2, opened: folder["opened-1"])
            try await eventually("a connection") { FileManager.default.fileExists(atPath: folder["opened-1"]) }
            try await host.likeAll([Like("a1", of: "bob"), Like("a2…\u{2028}", of: "bob")])
            let (events, id) = try await first
            #expect(events == ["a1", "a2…\u{2028}"])
            try await host.likeAll([Like("a3", of: "bob"), Like("other", of: "eve"), Like("a4", of: "bob")])
            let (more, last) = try await Self.read(library, url, id, 2, opened: folder["opened-2"])
            #expect(more == ["a3", "a4"])
            #expect(last != id)
            #expect(try await host.stop() == 0)
        }

        /// Reads so many events and leaves. Returns the actors in them, and the last id.
        private static func read(
            _ library: String, _ url: String, _ id: String, _ count: Int, opened: String
        ) async throws -> (actors: [String], id: String) {
            let lines = try await onThread { try Python.run(script, [library, url, id, String(count), opened]) }
            guard let answer = try JSONSerialization.jsonObject(with: Data(lines.joined().utf8)) as? [String: Any],
                let actors = answer["actors"] as? [String], let last = answer["id"] as? String
            else { throw TestFailure("\(library): \(lines)") }
            return (actors, last)
        }

        private static let script = #"""
            import json, subprocess, sys
            library, url, last, count, opened = sys.argv[1:]
            headers = {"Accept": "text/event-stream"}
            if last: headers["Last-Event-ID"] = last
            def open_events():
                if library == "sseclient-py":
                    import requests, sseclient
                    answer = requests.get(url, headers=headers, stream=True, timeout=30)
                    answer.raise_for_status()
                    open(opened, "w").close()
                    yield from sseclient.SSEClient(answer).events()
                elif library == "httpx-sse":
                    import httpx, httpx_sse
                    with httpx.Client(timeout=30) as client, httpx_sse.connect_sse(client, "GET", url, headers=headers) as source:
                        source.response.raise_for_status()
                        open(opened, "w").close()
                        yield from source.iter_sse()
                else:
                    import sseclient
                    arguments = [a for name, value in headers.items() for a in ("-H", f"{name}: {value}")]
                    curl = subprocess.Popen(["curl", "-sN", "--fail", "--max-time", "30", *arguments, url], stdout=subprocess.PIPE)
                    def pieces():
                        while piece := curl.stdout.read1(4096):
                            open(opened, "w").close()
                            yield piece
                    try: yield from sseclient.SSEClient(pieces()).events()
                    finally: curl.kill()
            actors = []
            for event in open_events():
                # A block with an id and no data is no event (HTML, 9.2.6); httpx-sse gives it all the same.
                if event.data: actors.append(json.loads(event.data)["actor"])
                if event.id: last = event.id
                if len(actors) == int(count): break
            print(json.dumps({"actors": actors, "id": last}))
            """#
    }
}
