import Martlet

/// The secrets of a channel's endpoints on their way into the database and out of it: encrypted if the channel has a
/// `secrets_key`. Those that were written before it had one are read as they are, and encrypted when they are written again.
struct SecretVault: Sendable {
    /// The code of the error for secrets that the channel's key does not open.
    static let errorCode = "webhook.secrets_key"

    let channel: String
    let key: SecretsKey?

    func closed(_ secret: String, of endpoint: String) throws(ModuleError) -> String {
        guard let key else { return secret }
        return try key.seal(secret, at: place(of: endpoint))
    }

    /// - Throws: blocked, ``errorCode``, if there is no key, or another one.
    func opened(_ text: String, of endpoint: String) throws(ModuleError) -> String {
        guard text.hasPrefix(SecretsKey.prefix) else { return text }
        guard let key else {
            throw .blocked(
                Self.errorCode,
                "the secrets of the endpoint `\(endpoint)` are encrypted: set `secrets_key` of the channel `\(channel)` to the key they "
                    + "were encrypted with")
        }
        guard let secret = key.open(text, at: place(of: endpoint)) else {
            throw .blocked(
                Self.errorCode,
                "`secrets_key` of the channel `\(channel)` does not decrypt the secrets of the endpoint `\(endpoint)`: they were encrypted "
                    + "with another key, or their row was edited")
        }
        return secret
    }

    /// Neither name has a line break.
    private func place(of endpoint: String) -> String { channel + "\n" + endpoint }
}
