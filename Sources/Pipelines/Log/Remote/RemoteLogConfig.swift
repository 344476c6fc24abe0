import Martlet

/// The fields of the block `log` that belong to the engine `remote`.
package struct RemoteLogConfig: Sendable {
    /// Without a slash at the end.
    package let url: String
    package let token: String?
    package let connectTimeout: Duration
    package let requestTimeout: Duration
    /// Relative to the config file.
    package let certificateFile: String?

    package init(
        url: String, token: String?, connectTimeout: Duration, requestTimeout: Duration, certificateFile: String?
    ) {
        self.url = url
        self.token = token
        self.connectTimeout = connectTimeout
        self.requestTimeout = requestTimeout
        self.certificateFile = certificateFile
    }

    static let keys = ["url", "token", "connect_timeout_ms", "request_timeout_ms", "ca_file"]
}
