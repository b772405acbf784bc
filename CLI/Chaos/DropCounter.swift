import WireFormat

/// Adds up how many records the services' consumers dropped as duplicates, over all lives of their processes.
///
/// A process counts from its start, so it is asked again and again; what it counted between the last answer and its death
/// is missing. The sum is a lower bound.
actor DropCounter {
  static let pause = Duration.milliseconds(500)

  private struct Life {
    var consumed: Int64 = 0
    var dropped: Int64 = 0
  }

  private let instances: [ServiceClient]
  private var current: [String: Life] = [:]
  private var ofEndedLives: Int64 = 0

  init(instances: [ServiceClient]) {
    self.instances = instances
  }

  var dropped: Int64 { current.values.reduce(ofEndedLives) { $0 + $1.dropped } }

  /// Asks until it is cancelled.
  func run() async {
    while !Task.isCancelled {
      await ask()
      try? await Task.sleep(for: Self.pause)
    }
  }

  /// Asks every instance once; those that do not answer keep what they had.
  func ask() async {
    for instance in instances {
      let answer = try? await instance.get("/consumers", timeout: .seconds(1))
      guard let consumers = answer?["consumers"]?.array else { continue }
      var life = Life()
      for counts in consumers.compactMap({ $0.object?["counts"]?.object }) {
        func count(_ name: String) -> Int64 { counts[name]?.number?.int64 ?? 0 }
        life.consumed += count("consumed")
        life.dropped += count("duplicates") + count("stale")
      }
      note(life, of: instance.baseURL)
    }
  }

  private func note(_ life: Life, of instance: String) {
    if let before = current[instance], life.consumed < before.consumed || life.dropped < before.dropped {
      ofEndedLives += before.dropped
    }
    current[instance] = life
  }
}
