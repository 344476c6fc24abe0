import Martlet
import Pipelines

/// Takes the steps of a test: what comes in.
struct ConfigTestSteps {
    let host: Host
    let client: HTTPClient
    let recorder: ConfigTestRecorder

    /// - Returns: how an answer differs from what is expected.
    func take(_ step: ConfigTestStep) async throws -> [String] {
        if let request = step.request { return try await send(request, step.answer) }
        if let event = step.event { return try await append(event) }
        if let input = step.input { return try await bring(input) }
        if let stream = step.stream { return await open(stream, step.answer) }
        return []
    }

    private func send(_ request: ConfigTestStep.Request, _ answer: ConfigTestStep.Answer?) async throws -> [String] {
        var headers = request.headers.map { (name: $0.key, value: $0.value) }
        let body = request.json.map { Bytes(JSONWriter.text($0.plain)) } ?? request.body.map { Bytes($0) }
        if request.json != nil, !headers.contains(where: { $0.name.lowercased() == "content-type" }) {
            headers.append(("Content-Type", "application/json"))
        }
        let method = request.method ?? (body == nil ? "GET" : "POST")
        let response: ClientResponse
        do {
            response = try await client.send(ClientRequest(method, "http://\(host.publicAddress)\(request.path)", headers: headers, body: body))
        } catch {
            return ["\(method) \(request.path): \(error)"]
        }
        guard let answer else {
            return response.isSuccess ? [] : ["\(method) \(request.path) was answered \(response.status): \(response.body.string.prefix(300))"]
        }
        return Self.differences(response, answer).map { "\(method) \(request.path): \($0)" }
    }

    private func open(_ step: ConfigTestStep.Stream, _ answer: ConfigTestStep.Answer?) async -> [String] {
        let what = "the stream \(step.name) at \(step.path)"
        guard recorder.streams[step.name] == nil else { return ["\(what): another step has opened a stream of that name"] }
        let stream = ConfigTestStream()
        let request = ClientRequest(
            "GET", "http://\(host.publicAddress)\(step.path)",
            headers: [("Accept", "text/event-stream")] + step.headers.map { (name: $0.key, value: $0.value) }, timeout: .seconds(86_400))
        do {
            let response = try await stream.open(request, by: client)
            recorder.add(stream, named: step.name)
            if let answer { return Self.differences(response, answer).map { "\(what): \($0)" } }
            return response.isEventStream ? [] : ["\(what) was answered \(response.status): \(response.body.string.prefix(300))"]
        } catch {
            return ["\(what): \(error)"]
        }
    }

    /// What a settled host has sent on streams has arrived once another request has been there and back: the host's one
    /// event loop and the client's one thread do one thing after the other.
    func untilStreamsHaveAll() async {
        guard !recorder.streams.isEmpty else { return }
        _ = try? await client.send(ClientRequest("GET", "http://\(host.publicAddress)/"))
    }

    private static func differences(_ response: ClientResponse, _ answer: ConfigTestStep.Answer) -> [String] {
        var lines: [String] = []
        if let status = answer.status, status != response.status {
            lines.append("status: expected \(status), found \(response.status): \(response.body.string.prefix(300))")
        }
        for header in answer.headers {
            let pattern = JSONPattern(expected: header.value, isExact: true)
            let found = response.header(header.key.lowercased()).map { JSONNode.string($0) } ?? .null
            lines += pattern.differences(from: found).map { "header \(header.key): expected \($0.expected), found \($0.found)" }
        }
        if let body = answer.body {
            lines += JSONPattern(expected: body, isExact: true).differences(from: .string(response.body.string)).map { "body: \($0.text)" }
        }
        guard let json = answer.json else { return lines }
        guard let found = JSONReader.read(response.body.withUnsafeBytes { Array($0) }, problems: ConfigProblems(file: "")) else {
            return lines + ["body: expected JSON, found \(response.body.string.prefix(300))"]
        }
        return lines + JSONPattern(expected: json, isExact: false).differences(from: found).map { "body: \($0.text)" }
    }

    private func append(_ event: ConfigTestStep.Event) async throws -> [String] {
        let made = Event(
            id: event.id.map { Bytes($0) } ?? EventID.generate(), key: event.key.map { Bytes($0) },
            headers: event.headers.map { Header($0.key, Bytes($0.value)) }, payload: Bytes(JSONWriter.text(event.payload.plain)),
            timestamp: event.timestamp ?? Timestamp.now())
        do {
            _ = try await host.log.append([made], to: TopicName(event.topic.plain))
            return []
        } catch {
            return ["an event for \(event.topic.plain): \(error)"]
        }
    }

    private func bring(_ input: ConfigTestStep.Input) async throws -> [String] {
        guard let intake = recorder.intake(of: input.source.plain) else {
            return ["no source `\(input.source.plain)` waits for inputs: it is no source of the config, or serves HTTP and takes a `request`"]
        }
        let made = SourceInput(
            payload: Bytes(JSONWriter.text(input.payload.plain)), headers: input.headers.map { Header($0.key, Bytes($0.value)) })
        let outcomes = await withCheckedContinuation { continuation in
            intake.accept([made]) { continuation.resume(returning: $0) }
        }
        return outcomes.compactMap { outcome in
            switch outcome {
            case .saved, .unchanged, .published, .sent, .filtered: nil
            case .rejected(let error), .unavailable(let error, _): "an input of \(input.source.plain) was refused: \(error)"
            case .conflict: "an input of \(input.source.plain) was refused: its idempotency key came with another body"
            }
        }
    }
}
