import Testing

@testable import orderflow

struct TerminalTests {
  @Test func coloursAreForTerminalsOnly() {
    #expect(Palette(isTerminal: false, environment: [:]).paint("x", .red) == "x")
    #expect(Palette(isTerminal: true, environment: [:]).paint("x", .red) == "\u{1B}[31mx\u{1B}[0m")
    #expect(Palette(isTerminal: true, environment: ["NO_COLOR": "1"]).paint("x", .red) == "x")
    #expect(Palette(isTerminal: true, environment: ["NO_COLOR": ""]).paint("x", .red) != "x")
    #expect(Palette(isTerminal: true, environment: ["TERM": "dumb"]).bold("x") == "x")
  }

  @Test func aTableIsAsWideAsItsCellsAndHasNoSpacesAtTheEnd() {
    var table = Table(.text("NAME"), .number("LAG"), .text("X"))
    table.add("orders", "7", "")
    table.add("a")

    #expect(table.lines() == ["NAME    LAG  X", "orders    7", "a"])
  }

  @Test func whatATerminalWouldObeyIsShown() {
    #expect("a\u{1B}[2Jb\nc\u{9B}".printable == "a\\u{1B}[2Jb\\u{A}c\\u{9B}")
    #expect("Größe €".printable == "Größe €")
  }

  @Test(arguments: [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567"), (-4_000, "-4,000")])
  func thousandsAreGrouped(number: Int, text: String) {
    #expect(number.grouped == text)
  }

  @Test func durationsAreBrief() {
    #expect(Duration.milliseconds(12).brief == "12 ms")
    #expect(Duration.milliseconds(3_456).brief == "3.4 s")
  }
}
