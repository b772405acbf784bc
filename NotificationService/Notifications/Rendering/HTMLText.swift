/// `text` as HTML shows it, in an element or in a quoted attribute.
///
/// Works on Unicode scalars as HTML parsers do: to Swift, `<` with a combining mark behind it is another character.
func escaped(_ text: String) -> String {
  var html = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": html += "&amp;"
    case "<": html += "&lt;"
    case ">": html += "&gt;"
    case "\"": html += "&quot;"
    case "'": html += "&#39;"
    default: html.unicodeScalars.append(scalar)
    }
  }
  return html
}

/// `text` with a space in place of each control character and line or paragraph separator.
func onOneLine(_ text: String) -> String {
  var line = ""
  for scalar in text.unicodeScalars {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: line.append(" ")
    default: line.unicodeScalars.append(scalar)
    }
  }
  return line
}
