extension HTTPExchange {
    /// The body as a JSON object; an empty body is an empty object.
    ///
    /// - Parameter refusal: makes the error of what is wrong with the body, in words.
    package func bodyObject<Refusal: Error>(orThrow refusal: (String) -> Refusal) throws(Refusal) -> JSONObject {
        if body.isEmpty { return JSONObject() }
        let problems = ConfigProblems(file: "the body")
        let node = JSONReader.read(body.withUnsafeBytes { Array($0) }, problems: problems)
        guard problems.isEmpty, case .object(let object)? = node?.kind else {
            throw refusal(problems.isEmpty ? "the body must be a JSON object" : problems.text)
        }
        return object
    }
}

extension HTTPResponse {
    /// An answer of one JSON value.
    package static func json(_ node: JSONNode, status: Int = 200) -> HTTPResponse {
        HTTPResponse(
            status: status, headers: [("Content-Type", "application/json")], body: Bytes(JSONWriter.bytes(node) + [UInt8(ascii: "\n")]))
    }
}
