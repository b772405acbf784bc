/// How the topics of the embedded broker are made, which nobody can create over the protocol.
enum TopicPartitions {
  /// `KAFKA_TOPIC_PARTITIONS`: a whole number, 1 to 1000, default 6, not secret.
  static func count(environment: [String: String]) throws(Failure) -> Int {
    guard let text = environment["KAFKA_TOPIC_PARTITIONS"], !text.isEmpty else { return 6 }
    guard let count = Int(text), (1...1000).contains(count) else {
      throw Failure("KAFKA_TOPIC_PARTITIONS is \(text.printable); it has to be a whole number from 1 to 1000")
    }
    return count
  }
}
