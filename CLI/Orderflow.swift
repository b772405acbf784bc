import ArgumentParser
import Foundation

/// The command line tool: starts the stack, uses it, and looks into it.
@main
struct Orderflow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "orderflow",
    abstract: "Orders, stock and mails over Kafka: run the stack, place orders, look inside.",
    discussion: "Exit codes: 0 done, 1 failed or the verdict is negative, 64 wrong usage.",
    subcommands: [
      Up.self, PlaceOrder.self, Load.self, Verify.self, Chaos.self, TopicsCommand.self, GroupsCommand.self,
      DeadLettersCommand.self, OutboxCommand.self, Tail.self,
    ])

  static func main() async {
    // A connection or a pipe that closes is an error of that write, not the end of the process.
    signal(SIGPIPE, SIG_IGN)
    await main(nil)
  }
}
