/// Where the value of one `${…}` comes from at run time. Trivial to copy, since the hot path copies it for each record.
struct TemplateSource: Sendable {
    enum Place: Sendable {
        /// The token of this index.
        case token(Int)
        case id
        case key
        case topic
        case partition
        case offset
        case timestamp
        /// A variable that has a name.
        case named
    }

    let place: Place
    /// The `${…}` in ``TemplateSources``.
    let index: Int
}

/// Everything that the `${…}` of one module look up, and what they do if it is not there.
struct TemplateSources: Sendable {
    private(set) var expressions: [TemplateExpression] = []
    private var defaults: [TemplateDefault?] = []
    let lookup: PayloadLookup

    /// - Parameter pointers: all pointers of the expressions that will be added.
    init(_ pointers: [JSONPointer]) {
        lookup = PayloadLookup(pointers)
    }

    mutating func add(_ expression: TemplateExpression, default fallback: TemplateDefault?) -> TemplateSource {
        expressions.append(expression)
        defaults.append(fallback)
        let place: TemplateSource.Place
        switch expression {
        case .pointer(let pointer):
            guard let index = lookup.index(of: pointer) else {
                preconditionFailure("the pointer \(pointer) was not prepared for looking up")
            }
            place = .token(index)
        case .variable(let variable):
            place = switch variable {
            case .id: .id
            case .key: .key
            case .topic: .topic
            case .partition: .partition
            case .offset: .offset
            case .timestamp: .timestamp
            case .header, .path, .query, .claim, .saved: .named
            }
        }
        return TemplateSource(place: place, index: expressions.count - 1)
    }

    func expression(of source: TemplateSource) -> TemplateExpression {
        expressions[source.index]
    }

    /// The default of a value that is not there, or the record's error.
    func fallback(of source: TemplateSource) throws(ModuleError) -> TemplateDefault {
        guard let fallback = defaults[source.index] else { throw .missing(expressions[source.index]) }
        return fallback
    }

    /// The value with its type.
    func value(
        of source: TemplateSource, _ input: TemplateInput, _ tokens: UnsafeMutableBufferPointer<PayloadToken>
    ) -> DataValue? {
        if case .token(let index) = source.place { return tokens[index].value(in: input.payload) }
        return variable(of: source, input)
    }

    /// The value as it appears inside other text.
    func text(
        of source: TemplateSource, _ input: TemplateInput, _ tokens: UnsafeMutableBufferPointer<PayloadToken>
    ) -> String? {
        if case .token(let index) = source.place {
            return tokens[index].kind == .missing ? nil : tokens[index].text(in: input.payload)
        }
        return variable(of: source, input)?.rendered
    }

    private func variable(of source: TemplateSource, _ input: TemplateInput) -> DataValue? {
        switch source.place {
        case .token: return nil
        case .id: return input.id.map { .text($0.string) }
        case .key: return input.key.map { .text($0.string) }
        case .topic: return input.topic.map { .text($0.text) }
        case .partition: return input.partition.map { .integer(Int64($0)) }
        case .offset: return input.offset.map { .integer($0) }
        case .timestamp: return input.timestamp.map { .integer($0) }
        case .named: return named(expressions[source.index], input)
        }
    }

    private func named(_ expression: TemplateExpression, _ input: TemplateInput) -> DataValue? {
        guard case .variable(let variable) = expression else { return nil }
        return switch variable {
        case .header(let name): input.header(name).map { .text($0) }
        case .path(let name): input.variables?.value(of: .path, name).map { .text($0) }
        case .query(let name): input.variables?.value(of: .query, name).map { .text($0) }
        case .claim(let name): input.variables?.value(of: .claim, name).map { .text($0) }
        case .saved(let name): input.saved[name]
        case .id, .key, .topic, .partition, .offset, .timestamp: nil
        }
    }

    /// Reads the payload's tokens, if there are pointers; a payload that cannot be read is the record's permanent error.
    func withTokens<Result>(
        of payload: Bytes, with reader: any PayloadReader,
        _ body: (UnsafeMutableBufferPointer<PayloadToken>) throws(ModuleError) -> Result
    ) throws(ModuleError) -> Result {
        if lookup.count == 0 { return try body(UnsafeMutableBufferPointer(start: nil, count: 0)) }
        return try withUnsafeTemporaryAllocation(of: PayloadToken.self, capacity: lookup.count) {
            tokens throws(ModuleError) in
            do throws(PayloadError) {
                try reader.find(lookup, in: payload, into: tokens)
            } catch {
                throw .unreadable(error)
            }
            return try body(tokens)
        }
    }
}
