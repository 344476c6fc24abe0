/// Where the value of one `${…}` comes from at run time.
enum TemplateSource: Sendable {
    /// The token of this index.
    case token(Int, JSONPointer)
    case variable(TemplateVariable)

    init(_ expression: TemplateExpression, _ lookup: PayloadLookup) {
        switch expression {
        case .variable(let variable):
            self = .variable(variable)
        case .pointer(let pointer):
            guard let index = lookup.index(of: pointer) else {
                preconditionFailure("the pointer \(pointer) was not prepared for looking up")
            }
            self = .token(index, pointer)
        }
    }

    var expression: TemplateExpression {
        switch self {
        case .token(_, let pointer): .pointer(pointer)
        case .variable(let variable): .variable(variable)
        }
    }

    /// The value with its type.
    func value(_ input: TemplateInput, _ tokens: UnsafeMutableBufferPointer<PayloadToken>) -> DataValue? {
        switch self {
        case .token(let index, _): tokens[index].value(in: input.payload)
        case .variable(let variable): input.value(of: variable)
        }
    }

    /// The value as it appears inside other text.
    func text(_ input: TemplateInput, _ tokens: UnsafeMutableBufferPointer<PayloadToken>) -> String? {
        switch self {
        case .token(let index, _): tokens[index].kind == .missing ? nil : tokens[index].text(in: input.payload)
        case .variable(let variable): input.value(of: variable)?.rendered
        }
    }
}

extension PayloadReader {
    /// Reads the tokens of templates; a payload that cannot be read is the record's permanent error.
    func withTemplateTokens<Result>(
        of lookup: PayloadLookup, in payload: Bytes,
        _ body: (UnsafeMutableBufferPointer<PayloadToken>) throws(ModuleError) -> Result
    ) throws(ModuleError) -> Result {
        try withUnsafeTemporaryAllocation(of: PayloadToken.self, capacity: lookup.count) { tokens throws(ModuleError) in
            if lookup.count > 0 {
                do throws(PayloadError) {
                    try find(lookup, in: payload, into: tokens)
                } catch {
                    throw .unreadable(error)
                }
            }
            return try body(tokens)
        }
    }
}
