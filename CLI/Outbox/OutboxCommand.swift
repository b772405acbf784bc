import ArgumentParser

/// What the services have to tell the world.
struct OutboxCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "outbox", abstract: "The services' outboxes: what waits, and publishing again what was published.",
    subcommands: [OutboxStatus.self, ReplayOutbox.self])
}
