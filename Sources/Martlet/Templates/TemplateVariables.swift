/// Variables that an input offers to templates beside its payload, looked up when a template needs one.
public protocol TemplateVariables: Sendable {
    /// The value of `${@path.user}`, `${@query.limit}`, `${@claim.sub}` and the like; nil if there is none.
    func value(of kind: TemplateVariableKind, _ name: String) -> String?
}

/// The groups of variables that a template may use; which ones depends on the place.
public enum TemplateVariableKind: String, Sendable, CaseIterable {
    /// `${@id}`, `${@key}`, `${@topic}`, `${@partition}`, `${@offset}`, `${@timestamp}`.
    case record
    /// `${@header.NAME}`.
    case header
    /// `${@path.NAME}`: a `{NAME}` segment of the route.
    case path
    /// `${@query.NAME}`.
    case query
    /// `${@claim.NAME}`: a claim of the verified token.
    case claim
    /// `${@saved.NAME}`: a column of `RETURNING` of the source's `save`.
    case saved
}
