import Martlet

/// The schemas of topics.
extension GraphBuilder {
    private static let fileLimit = 4 << 20

    mutating func addSchemas() {
        for entry in graph.config.topics {
            guard let node = entry.value.schema else { continue }
            let place = ConfigPlace(path: entry.value.place.path.appending("schema"), position: node.position)
            guard let text = schemaText(node, place) else { continue }
            do throws(PayloadError) {
                graph.schemas.entries[TopicName(entry.key)] = TopicSchemas.Entry(
                    text: text, validator: try services.schemas.compile(text))
            } catch {
                problems.report(.invalid, at: place, "is no JSON Schema: \(error.message)")
            }
        }
    }

    /// The schema that stands in the config, or in the file that it names.
    private func schemaText(_ node: JSONNode, _ place: ConfigPlace) -> String? {
        switch node.kind {
        case .object:
            return JSONWriter.text(node.plain)
        case .string:
            let path = node.plainText ?? ""
            do throws(ConfigFileReader.Failure) {
                return String(decoding: try ConfigFileReader.read(absolute(path), limit: Self.fileLimit, allowsPipes: false), as: UTF8.self)
            } catch {
                problems.report(.invalid, at: place, "the schema file cannot be read: \(error.reason)", found: node.found)
                return nil
            }
        default:
            problems.report(.wrongType, at: place, "must be a JSON Schema, or the path of a file that holds one", found: node.found)
            return nil
        }
    }
}
