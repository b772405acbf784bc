extension ServiceConfiguration {
  /// What `--help` prints: every key with its values, default and meaning.
  public static func helpText(_ identity: ServiceIdentity) -> String {
    var text = """
      \(identity.displayName)

      Every key can be an option (--http-port 8081), an environment variable (HTTP_PORT=8081) or a member of a JSON
      file (CONFIG_FILE=settings.json); the first of them that has it wins.

      """
    for key in ConfigurationKey.all(for: identity) {
      text += "\n\(key.name)  (\(key.option))\n    \(key.explanation)\n    \(key.expectation)"
      text += key.defaultValue.map { "; default \($0)\n" } ?? "; default none\n"
    }
    text += """

      KAFKA_<NAME>, KAFKA_PRODUCER_<NAME>, KAFKA_CONSUMER_<NAME>
          Any other property of librdkafka, for both clients or for one, with _ for . :
          KAFKA_SASL_USERNAME is sasl.username, KAFKA_CONSUMER_FETCH_WAIT_MAX_MS is fetch.wait.max.ms.
          What carries the delivery guarantees (acks, enable.idempotence, ...) is refused.

      """
    return text
  }
}
