import Foundation

/// The token that requests to the services carry, where these want one (`API_TOKENS`).
enum AccessToken {
  /// `ORDERFLOW_TOKEN` of this process; nil where it is not set.
  static let own = token(environment: ProcessInfo.processInfo.environment)

  static func token(environment: [String: String]) -> String? {
    let text = environment["ORDERFLOW_TOKEN"]?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
    return text.isEmpty ? nil : text
  }

  /// The token for what `up` does itself: its own, else one of those that it hands to the services, with all of `scopes`.
  static func token(for scopes: Set<String>, environment: [String: String]) -> String? {
    if let own = token(environment: environment) { return own }
    for entry in (environment["API_TOKENS"] ?? "").split(separator: ",") {
      let parts = entry.split(separator: ":", maxSplits: 1)
      guard parts.count == 2, scopes.isSubset(of: parts[1].split(separator: "+").map(Self.trimmed)) else { continue }
      return trimmed(parts[0])
    }
    return nil
  }

  private static func trimmed(_ text: Substring) -> String { text.trimmingCharacters(in: .whitespaces) }
}
