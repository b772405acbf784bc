/// Why a configuration cannot be used: every bad key at once, so that nobody has to start ten times.
public struct ConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
  public struct Refusal: Sendable, Hashable {
    /// The key as an environment variable, `HTTP_PORT`, or the option that is none.
    public var key: String
    public var reason: String

    public init(key: String, reason: String) {
      self.key = key
      self.reason = reason
    }
  }

  public var refusals: [Refusal]

  public init(_ refusals: [Refusal]) {
    self.refusals = refusals
  }

  /// A line for each key.
  public var description: String {
    refusals.map { "\($0.key): \($0.reason)" }.joined(separator: "\n")
  }
}

/// Why a service could not start although its configuration is good: one clear line for people.
public struct StartError: Error, Sendable, Hashable, CustomStringConvertible {
  public var description: String

  public init(_ description: String) {
    self.description = description
  }
}
