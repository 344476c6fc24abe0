/// Bytes made by an independent implementation.
enum KafkaVectors {
    static let twoRecords =
        "000000000000000000000049000000000283bdf89f0000000000010000018bcfe568000000018bcfe56805ffffffffffffffffffffffffffff00000002"
        + "20000000026b0a76616c756502026802760c000a02010100"
}
