import Martlet

/// Makes inputs of a stream's entries and a channel's messages.
struct RedisEntryDecoder: Sendable {
    let payloadField: String?
    let content: RedisSourceConfig.Content
    let payloads: any PayloadReader

    /// An entry: the payload is one field, or an object of all. With a `payloadField` the others are headers.
    func input(_ fields: [(name: Bytes, value: Bytes)], id: Bytes) -> Result<SourceInput, ModuleError> {
        guard let payloadField else {
            var json: [UInt8] = [UInt8(ascii: "{")]
            for (index, field) in fields.enumerated() where !fields[..<index].contains(where: { $0.name == field.name }) {
                if json.count > 1 { json.append(UInt8(ascii: ",")) }
                JSONText.appendQuoted(field.name.string, to: &json)
                json.append(UInt8(ascii: ":"))
                JSONText.appendQuoted(field.value.string, to: &json)
            }
            return .success(SourceInput(payload: Bytes(json + [UInt8(ascii: "}")]), id: id))
        }
        guard let value = fields.first(where: { $0.name.string == payloadField })?.value else {
            return .failure(.permanent("redis.no_payload", "the entry has no field `\(payloadField)` (`payload_field`)"))
        }
        let headers = fields.filter { $0.name.string != payloadField }.map { Header($0.name.string, $0.value) }
        return payload(value).map { SourceInput(payload: $0, headers: headers, id: id) }
    }

    /// A message, with its channel as a header.
    func input(message: Bytes, channel: Bytes) -> Result<SourceInput, ModuleError> {
        payload(message).map { SourceInput(payload: $0, headers: [Header("channel", channel)]) }
    }

    private func payload(_ value: Bytes) -> Result<Bytes, ModuleError> {
        switch content {
        case .text:
            var json = Array(#"{"message":"#.utf8)
            JSONText.appendQuoted(value.string, to: &json)
            return .success(Bytes(json + [UInt8(ascii: "}")]))
        case .json:
            do throws(PayloadError) {
                try payloads.check(value)
                return .success(value)
            } catch {
                return .failure(.permanent("redis.bad_payload", "it is not JSON: \(error.message)"))
            }
        }
    }
}
