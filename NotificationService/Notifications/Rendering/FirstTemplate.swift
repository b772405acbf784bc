import EventSchema

/// Version 1 of the mails.
enum FirstTemplate {
  static func render(_ mail: Mail) -> RenderedMail {
    let wording = FirstWording(mail)
    return RenderedMail(
      subject: wording.subject, text: text(of: mail, wording), html: html(of: mail, wording))
  }

  private static func text(of mail: Mail, _ wording: FirstWording) -> String {
    let lines = mail.items.map(OrderLine.init)
    let nameWidth = max(lines.map(\.name.count).max() ?? 0, 5)
    let amountWidth = max(lines.map(\.amount.count).max() ?? 0, mail.total.description.count)

    var text = "Hello \(mail.customerID),\n\n\(wording.opening)\n"
    if let explanation = wording.explanation { text += "\n\(explanation)\n" }
    text += "\nOrder \(mail.orderID)\n\n"
    for line in lines {
      text += "  \(padded(line.name, to: nameWidth))  \(padded(line.amount, to: amountWidth, right: true))"
      text += "  (\(line.quantity) x \(line.unitPrice))\n"
    }
    text += "  \(padded("Total", to: nameWidth))  \(padded(mail.total.description, to: amountWidth, right: true))\n"
    return text + "\n\(wording.closing)\n\nThe orderflow shop\n"
  }

  private static func html(of mail: Mail, _ wording: FirstWording) -> String {
    var rows = ""
    for line in mail.items.map(OrderLine.init) {
      let cells = [escaped(line.name), "\(line.quantity)", line.unitPrice, line.amount]
      rows += "<tr>" + cells.map { "<td>\($0)</td>" }.joined() + "</tr>\n"
    }
    let explanation = wording.explanation.map { "<p class=\"note\"><bdi>\(escaped($0))</bdi></p>\n" } ?? ""
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width">
      <title>\(escaped(wording.subject))</title>
      <style>
      \(style)
      </style>
      </head>
      <body>
      <main>
      <h1>\(escaped(wording.heading))</h1>
      <p>Hello \(escaped(mail.customerID.description)),</p>
      <p>\(escaped(wording.opening))</p>
      \(explanation)<table>
      <caption>Order \(escaped(mail.orderID.description))</caption>
      <thead><tr><th>Product</th><th>Quantity</th><th>Price</th><th>Amount</th></tr></thead>
      <tbody>
      \(rows)</tbody>
      <tfoot><tr><th colspan="3">Total</th><td>\(mail.total)</td></tr></tfoot>
      </table>
      <p>\(escaped(wording.closing))</p>
      <p class="sender">The orderflow shop</p>
      </main>
      </body>
      </html>

      """
  }

  private static let style = """
    body { margin: 0; padding: 24px; background: #f3f4f6; color: #1f2937; font: 16px/1.5 system-ui, sans-serif; }
    main { max-width: 560px; margin: 0 auto; padding: 24px 32px; background: #fff; border-radius: 8px; }
    h1 { margin: 0 0 16px; font-size: 22px; }
    table { width: 100%; margin: 24px 0; border-collapse: collapse; font-variant-numeric: tabular-nums; }
    caption { padding-bottom: 8px; color: #6b7280; font-size: 13px; text-align: left; overflow-wrap: anywhere; }
    th, td { padding: 6px 0 6px 12px; border-bottom: 1px solid #e5e7eb; text-align: right; }
    th:first-child, td:first-child { padding-left: 0; text-align: left; overflow-wrap: anywhere; }
    tfoot td { padding-left: 12px; font-weight: 600; text-align: right; }
    .note { padding: 8px 12px; border-left: 3px solid #d97706; background: #fffbeb; overflow-wrap: anywhere; }
    .sender { color: #6b7280; }
    """
}

/// An item in words. Everything in it is digits or an id, whose letters need no escaping.
private struct OrderLine {
  let name: String
  let quantity: Int
  let unitPrice: String
  let amount: String

  init(_ item: OrderItem) {
    name = item.productID.description
    quantity = item.quantity
    unitPrice = item.unitPrice.description
    // Only a row that somebody else wrote can be too large for a sum.
    amount = (item.unitPrice * item.quantity)?.description ?? ""
  }
}

private func padded(_ text: String, to width: Int, right: Bool = false) -> String {
  let padding = String(repeating: " ", count: max(0, width - text.count))
  return right ? padding + text : text + padding
}
