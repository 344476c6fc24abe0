import Martlet

/// The secrets of a channel's endpoints on their way into the database and out of it: encrypted if the channel has a
/// `secrets_key`. Those that were written before it had one are read as they are, and encrypted when they are written again.
struct SecretVault: Sendable {
    /// A secret as it came out of the database.
    struct Opened {
        let secret: String
        /// Whether it was encrypted with one of the previous keys, and is to be written again.
        let isOutdated: Bool
    }

    /// The code of the error for secrets that the channel's keys do not open.
    static let errorCode = "webhook.secrets_key"

    let channel: String
    /// What encrypts from now on; nil to write secrets as they are.
    let key: SecretsKey?
    /// What else decrypts.
    var previous: [SecretsKey] = []

    func closed(_ secret: String, of endpoint: String) throws(ModuleError) -> String {
        guard let key else { return secret }
        return try key.seal(secret, at: place(of: endpoint))
    }

    /// - Throws: blocked, ``errorCode``, if there is no key, or only others.
    func opened(_ text: String, of endpoint: String) throws(ModuleError) -> Opened {
        guard text.hasPrefix(SecretsKey.prefix) else { return Opened(secret: text, isOutdated: false) }
        if let secret = key?.open(text, at: place(of: endpoint)) { return Opened(secret: secret, isOutdated: false) }
        for key in previous {
            if let secret = key.open(text, at: place(of: endpoint)) { return Opened(secret: secret, isOutdated: true) }
        }
        guard key != nil || !previous.isEmpty else {
            throw .blocked(
                Self.errorCode,
                "the secrets of the endpoint `\(endpoint)` are encrypted: set `secrets_key` of the channel `\(channel)` to the key they "
                    + "were encrypted with")
        }
        throw .blocked(
            Self.errorCode,
            "`secrets_key` of the channel `\(channel)` does not decrypt the secrets of the endpoint `\(endpoint)`, nor does any of "
                + "`previous_secrets_keys`: they were encrypted with another key, or their row was edited")
    }

    /// Neither name has a line break.
    private func place(of endpoint: String) -> String { channel + "\n" + endpoint }
}

extension SecretVault {
    /// Reports all problems; nil if there was any.
    init?(_ config: WebhookChannelConfig, _ context: ModuleContext) {
        let texts = (config.secretsKey.map { [$0] } ?? []) + config.previousSecretsKeys
        let keys = texts.map { text in SecretsKey(text.plain) }
        for (text, key) in zip(texts, keys) where key == nil {
            let found = Base64.decode(text.plain).map { "\($0.count) bytes" } ?? "what is not base64"
            context.problem(
                at: text.place, "a key for secrets must be 32 bytes in base64 (`openssl rand -base64 32` makes them), found \(found)")
        }
        let good = keys.compactMap { $0 }
        guard good.count == keys.count else { return nil }
        self.init(
            channel: context.name, key: config.secretsKey == nil ? nil : good.first,
            previous: Array(good.suffix(config.previousSecretsKeys.count)))
    }
}
