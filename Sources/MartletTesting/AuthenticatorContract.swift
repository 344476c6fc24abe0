public import Martlet

/// What every ``Authenticator`` promises, as a suite that an author runs on a new verifier of callers with one call:
///
/// ```swift
/// try await AuthenticatorContract.verify(
///     callerID: "ana",
///     good: { FakeExchange(headers: [("Authorization", "Bearer \(token)")]) },
///     bad: [{ FakeExchange(headers: [("Authorization", "Bearer forged")]) }],
///     make: { try TestHost().make(JWTAuthenticator.self, #"{"secret": "\#(secret)"}"#) })
/// ```
public struct AuthenticatorContract: Sendable {
    /// Makes a verifier that is not open yet.
    public typealias Factory = @Sendable () async throws -> any Authenticator
    /// Makes a request.
    public typealias Request = @Sendable () -> any HTTPExchange

    private let callerID: String
    private let good: Request
    private let bad: [Request]
    private let make: Factory
    private let makeUnreachable: Factory?
    private let patience: Patience

    /// Verifies all promises, each with a new verifier.
    ///
    /// - Parameters:
    ///   - callerID: the id of the caller of good requests.
    ///   - good: makes a request with credentials that hold.
    ///   - bad: make requests with credentials that do not hold, each in another way.
    ///   - makeUnreachable: makes a verifier whose keys cannot be read; nil if that cannot be.
    ///   - patience: how long to wait for a verifier before it counts as hanging.
    ///   - make: makes a verifier.
    /// - Throws: ``ContractViolation`` for the first promise that is broken.
    public static func verify(
        callerID: String, good: @escaping Request, bad: [Request], makeUnreachable: Factory? = nil, patience: Duration = .seconds(10),
        make: @escaping Factory
    ) async throws {
        let contract = AuthenticatorContract(
            callerID: callerID, good: good, bad: bad, make: make, makeUnreachable: makeUnreachable, patience: Patience(limit: patience))
        try await contract.verifyLifeCycle()
        try await contract.verifyAway()
        try await contract.verifyCallers()
        try await contract.verifyStrangers()
        try await contract.verifyReload()
        try await contract.verifyConcurrency()
    }

    private func verifyLifeCycle() async throws {
        let promise = Promise("a verifier can be closed at any time, more than once, and opened again")
        let unopened = try await make()
        try await patience.run("close before open", promise) { await unopened.close() }
        let verifier = try await make()
        try await patience.run("open, close twice, open again", promise) {
            try await verifier.open()
            await verifier.close()
            await verifier.close()
            try await verifier.open()
        }
        try requireCaller(verifier, promise, "after it was opened again")
        await verifier.close()
    }

    private func verifyAway() async throws {
        guard let makeUnreachable else { return }
        let promise = Promise("without keys nobody is let in, and nobody is told that his credentials are bad")
        let away = try await makeUnreachable()
        let error = try await patience.run("open without keys", promise) {
            try await promise.requireError(from: "open without keys") { try await away.open() }
        }
        try promise.require(error.kind != .permanent, "the error of keys that cannot be read is permanent: \(error)")
        guard case .unavailable? = try failure(of: good(), away) else {
            throw ContractViolation(promise.text, "a good request without keys was not answered with `unavailable`")
        }
        await away.close()
    }

    private func verifyCallers() async throws {
        let promise = Promise("a request whose credentials hold has its caller, whenever it comes")
        try await withVerifier { verifier in
            for _ in 0..<3 { try requireCaller(verifier, promise, "of a good request") }
            try promise.require(!verifier.challenge.isEmpty, "there is no `challenge` to tell clients without credentials")
        }
    }

    private func verifyStrangers() async throws {
        let promise = Promise("a request without credentials is `missing`, one whose credentials do not hold is `refused`")
        try await withVerifier { verifier in
            guard case .missing? = try failure(of: FakeExchange(), verifier) else {
                throw ContractViolation(promise.text, "a request without credentials was not `missing`, so that no other verifier would be asked")
            }
            for (number, request) in bad.enumerated() {
                guard case .refused(let code, let reason)? = try failure(of: request(), verifier) else {
                    throw ContractViolation(promise.text, "bad request \(number) was not `refused`")
                }
                try promise.require(!code.isEmpty && !reason.isEmpty, "bad request \(number) was refused without a code or a reason")
                let secrets = request().headers.compactMap { $0.value.split(separator: " ").last }.filter { $0.utf8.count > 7 }
                try promise.require(
                    !secrets.contains { reason.contains($0) }, "the reason repeats the credentials of bad request \(number): \(reason)")
                try requireCaller(verifier, promise, "after bad request \(number)")
            }
        }
    }

    private func verifyReload() async throws {
        let promise = Promise("`reload` keeps good credentials good")
        try await withVerifier { verifier in
            try await patience.run("reload", promise) { await verifier.reload() }
            try requireCaller(verifier, promise, "after `reload`")
        }
    }

    private func verifyConcurrency() async throws {
        let promise = Promise("requests on several loops at the same time do not disturb each other")
        try await withVerifier { verifier in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        for round in 0..<25 {
                            if number % 2 == 0 || bad.isEmpty {
                                try requireCaller(verifier, promise, "of a good request beside others")
                            } else if try failure(of: bad[round % bad.count](), verifier) == nil {
                                throw ContractViolation(promise.text, "a bad request beside others was let in")
                            }
                        }
                    }
                }
                group.addTask { await verifier.reload() }
                try await group.waitForAll()
            }
        }
    }

    private func requireCaller(_ verifier: any Authenticator, _ promise: Promise, _ when: String) throws {
        do throws(AuthenticationFailure) {
            let caller = try verifier.authenticate(good())
            if caller.id == callerID { return }
            throw AuthenticationFailure.refused(code: "contract.caller", reason: "the caller is `\(caller.id)`, expected `\(callerID)`")
        } catch {
            throw ContractViolation(promise.text, "the caller \(when): \(error)")
        }
    }

    /// Nil if the request has a caller.
    private func failure(of request: any HTTPExchange, _ verifier: any Authenticator) throws -> AuthenticationFailure? {
        do throws(AuthenticationFailure) {
            _ = try verifier.authenticate(request)
            return nil
        } catch {
            return error
        }
    }

    private func withVerifier(_ body: (any Authenticator) async throws -> Void) async throws {
        let verifier = try await make()
        do {
            try await verifier.open()
            try await body(verifier)
        } catch {
            await verifier.close()
            throw error
        }
        await verifier.close()
    }
}
