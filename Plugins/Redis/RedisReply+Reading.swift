import CHiredis

extension redisReply {
    /// A string's, status's or error's bytes.
    var raw: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: str, count: str == nil ? 0 : len) }

    /// The bytes as text.
    var text: String { String(decoding: raw, as: UTF8.self) }

    /// An array's element; an empty string if there is none.
    subscript(index: Int) -> redisReply {
        guard type == REDIS_REPLY_ARRAY, index < elements, let item = element[index] else { return redisReply() }
        return item.pointee
    }

    /// Whether it is a message of a subscription, which answers nothing.
    var isMessage: Bool {
        guard type == REDIS_REPLY_ARRAY, elements >= 3 else { return false }
        let kind = self[0].raw
        return kind.elementsEqual("message".utf8) || kind.elementsEqual("pmessage".utf8)
    }
}
