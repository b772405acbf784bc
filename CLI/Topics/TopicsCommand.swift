import ArgumentParser

/// Topic administration.
struct TopicsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "topics", abstract: "Lists, describes, creates and deletes topics.",
    discussion: "The embedded broker has the topics that `up` made, and cannot create or delete any.",
    subcommands: [ListTopics.self, DescribeTopic.self, CreateTopic.self, DeleteTopic.self])
}
