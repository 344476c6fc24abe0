import CRdKafka
import Martlet

/// Groups' offsets, asked for and stored by one who is no member.
extension KafkaAdmin {
    /// Nil if the group has committed none.
    func committedOffset(_ group: GroupName, _ topic: TopicName, _ partition: PartitionID) throws(ModuleError) -> Offset? {
        let action = "ask for the offset of the group \(group) in \(topic)/\(partition)"
        let list = KafkaPartitionList()
        list.add(topic, partition)
        let request = rd_kafka_ListConsumerGroupOffsets_new(group.text, list.raw)
        defer { rd_kafka_ListConsumerGroupOffsets_destroy(request) }
        let event = try ask(RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, action) { options, queue in
            var requests: [OpaquePointer?] = [request]
            rd_kafka_ListConsumerGroupOffsets(handle.raw, &requests, 1, options, queue)
        }
        var count = 0
        let results = rd_kafka_ListConsumerGroupOffsets_result_groups(
            rd_kafka_event_ListConsumerGroupOffsets_result(event.raw), &count)
        let found = try partitions(results, count, action)
        guard let offset = found.first(where: { $0.partition == partition })?.offset, offset >= 0 else { return nil }
        return offset
    }

    /// Stores an offset. The brokers refuse it while the group has members.
    func commit(_ group: GroupName, _ topic: TopicName, _ partition: PartitionID, _ offset: Offset) throws(ModuleError) {
        let action = "store the offset \(offset) of the group \(group) in \(topic)/\(partition)"
        let list = KafkaPartitionList()
        list.add(topic, partition, offset: offset)
        let request = rd_kafka_AlterConsumerGroupOffsets_new(group.text, list.raw)
        defer { rd_kafka_AlterConsumerGroupOffsets_destroy(request) }
        let event = try ask(RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS, action) { options, queue in
            var requests: [OpaquePointer?] = [request]
            rd_kafka_AlterConsumerGroupOffsets(handle.raw, &requests, 1, options, queue)
        }
        var count = 0
        let results = rd_kafka_AlterConsumerGroupOffsets_result_groups(
            rd_kafka_event_AlterConsumerGroupOffsets_result(event.raw), &count)
        _ = try partitions(results, count, action)
    }

    private func partitions(
        _ results: UnsafeMutablePointer<OpaquePointer?>?, _ count: Int, _ action: String
    ) throws(ModuleError) -> [(partition: PartitionID, offset: Offset)] {
        var found: [(partition: PartitionID, offset: Offset)] = []
        for index in 0..<count {
            guard let result = results?[index] else { continue }
            if let failure = rd_kafka_group_result_error(result) {
                throw error(rd_kafka_error_code(failure), cannot: action, rd_kafka_error_string(failure).map { String(cString: $0) })
            }
            guard let list = rd_kafka_group_result_partitions(result)?.pointee else { continue }
            for index in 0..<Int(list.cnt) {
                let element = list.elems[index]
                guard element.err == RD_KAFKA_RESP_ERR_NO_ERROR else { throw error(element.err, cannot: action) }
                found.append((element.partition, element.offset))
            }
        }
        return found
    }

    /// The groups of consumers that the brokers know. Kafka forgets one some days after its last member has left.
    func groups() throws(ModuleError) -> [GroupName] {
        var found: UnsafePointer<rd_kafka_group_list>?
        let code = rd_kafka_list_groups(handle.raw, nil, &found, CInt(requestTimeout))
        defer { if let found { rd_kafka_group_list_destroy(found) } }
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let list = found?.pointee else {
            throw error(code, cannot: "ask for the groups")
        }
        return (0..<Int(list.group_cnt)).compactMap { index in
            let group = list.groups[index]
            // Others keep offsets of another kind: Kafka Connect's workers, for example.
            guard let type = group.protocol_type, ["consumer", ""].contains(String(cString: type)) else { return nil }
            return GroupName(String(cString: group.group))
        }
    }
}
