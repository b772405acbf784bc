import ArgumentParser

/// How fast long work may go.
struct RateOption: ParsableArguments {
  @Option(help: ArgumentHelp("At most so many a second; otherwise as fast as it goes.", valueName: "n"))
  var rate: Double?

  func validate() throws {
    guard rate.map({ $0 > 0 && $0 <= 1_000_000 }) ?? true else {
      throw ValidationError("--rate has to be above 0, and up to 1000000")
    }
  }
}
