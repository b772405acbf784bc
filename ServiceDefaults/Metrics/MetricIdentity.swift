/// A metric's name and labels as Prometheus writes them.
struct MetricIdentity: Hashable, Sendable {
  let name: String
  /// Sorted by name; `{method="GET",route="/orders"}` without the braces, ready to be written.
  let labels: String

  /// - Parameter suffix: added where the name does not end with it: `_total` for counters, `_seconds` for timers.
  init(label: String, dimensions: [(String, String)], suffix: String = "") {
    let name = Self.sanitized(label, allowingColons: true)
    self.name = name.hasSuffix(suffix) ? name : name + suffix
    labels = Self.rendered(dimensions)
  }

  init(name: String, labels: String) {
    self.name = name
    self.labels = labels
  }

  /// A metric's name consists of letters, digits, `_` and `:`, and does not begin with a digit.
  private static func sanitized(_ label: String, allowingColons: Bool) -> String {
    var name = ""
    for scalar in label.unicodeScalars {
      switch scalar {
      case "a"..."z", "A"..."Z", "0"..."9", "_": name.unicodeScalars.append(scalar)
      case ":" where allowingColons: name.unicodeScalars.append(scalar)
      default: name.append("_")
      }
    }
    guard let first = name.first else { return "_" }
    return first.isNumber ? "_" + name : name
  }

  private static func rendered(_ dimensions: [(String, String)]) -> String {
    dimensions
      .map { (sanitized($0.0, allowingColons: false), $0.1) }
      .sorted { $0.0 < $1.0 }
      .map { "\($0.0)=\"\(escaped($0.1))\"" }
      .joined(separator: ",")
  }

  private static func escaped(_ value: String) -> String {
    value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
  }
}
