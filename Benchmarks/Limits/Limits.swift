import ArgumentParser

/// What the machine and the libraries could do at most: the rows that `make bench` holds the product against.
@main
struct Limits: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "orderflow-limits",
    abstract: "The limit rows of the benchmarks, each a process that prints one line of JSON.",
    subcommands: [HostBroker.self, BareServer.self, BareProducer.self, FillTopic.self, BareStatements.self])
}
