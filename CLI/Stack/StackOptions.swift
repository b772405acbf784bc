import ArgumentParser
import Foundation
import Logging
import MessagingKafka

/// Which stack a subcommand talks to.
struct StackOptions: ParsableArguments {
  @Option(
    name: [.customLong("data-dir")],
    help: ArgumentHelp(
      "Where `orderflow up` keeps its state; its ready.json names the running stack. (default: .orderflow)",
      discussion: """
        Without a running stack there, ORDER_SERVICE_URL, INVENTORY_SERVICE_URL, NOTIFICATION_SERVICE_URL and \
        KAFKA_BOOTSTRAP_SERVERS name it (defaults: ports 8081 to 8083 and 9092 of this machine).
        """, valueName: "dir"))
  var dataDirectory: String?

  func stack() throws -> Stack {
    try Stack.locate(directory: dataDirectory, environment: ProcessInfo.processInfo.environment)
  }
}

/// Which broker a subcommand talks to.
struct BrokerOptions: ParsableArguments {
  @OptionGroup var stackOptions: StackOptions

  @Option(help: ArgumentHelp("The broker, instead of the running stack's.", valueName: "host:port"))
  var bootstrapServers: String?

  /// The stack, with the broker that was asked for.
  func stack() throws -> Stack {
    guard let bootstrapServers else { return try stackOptions.stack() }
    var stack = try stackOptions.stack()
    if stack.bootstrapServers != bootstrapServers {
      stack.bootstrapServers = bootstrapServers
      stack.isEmbeddedBroker = false
    }
    return stack
  }
}
