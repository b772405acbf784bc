/// The few colours that are used, by their ANSI number.
enum Colour: Int, CaseIterable, Sendable {
  case red = 31
  case green = 32
  case yellow = 33
  case blue = 34
  case magenta = 35
  case cyan = 36
  case grey = 90
}

/// Colours text, or leaves it as it is.
struct Palette: Sendable, Hashable {
  var isColoured: Bool

  static let plain = Palette(isColoured: false)

  /// Colours where `isTerminal`, unless the environment has a non-empty `NO_COLOR` (no-color.org) or a dumb terminal.
  init(isTerminal: Bool, environment: [String: String]) {
    let refused = !(environment["NO_COLOR"] ?? "").isEmpty || environment["TERM"] == "dumb"
    isColoured = isTerminal && !refused
  }

  init(isColoured: Bool) {
    self.isColoured = isColoured
  }

  func paint(_ text: String, _ colour: Colour) -> String {
    isColoured ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
  }

  func bold(_ text: String) -> String {
    isColoured ? "\u{1B}[1m\(text)\u{1B}[0m" : text
  }
}
