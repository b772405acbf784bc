import EventSchema
import HTTPTypes
import Hummingbird
import ServiceDefaults

/// `/emails`: the mock mailbox.
struct EmailRoutes: Sendable {
  let getMail: GetMail
  let listMails: ListMails
  let followMails: FollowMails
  let streams: EventStreams
  let sender: MailSender

  func add(to router: ServiceRouter) {
    router.get("/emails") { request, _ in try await list(request) }
    router.get("/emails/stream") { request, context in
      try await streams.respond(to: request, context, from: writtenMails)
    }
    router.get("/emails/:email_id") { _, context in try await Response.json(mail(context)) }
    router.get("/emails/:email_id/html") { _, context in try await html(of: mail(context)) }
    router.get("/emails/:email_id/eml") { _, context in try await eml(of: mail(context)) }
  }

  private func list(_ request: Request) async throws -> Response {
    var query = request.query()
    let limit = query.limit()
    let filter = MailFilter(customerID: query.identifier("customer_id"), orderID: query.identifier("order_id"))
    let cursor = query.cursor(of: "emails")
    if cursor != nil, cursor?.position == nil { query.refuse("cursor", "is no cursor of this list") }
    try query.check()

    let page = try await listMails(filter, before: cursor?.position, limit: limit)
    let next = page.next.map { PageCursor(list: "emails", position: $0) }
    return .json(Page("emails", page.mails, next: next))
  }

  /// Each mail as it is written: an event `mail` whose data is what `GET /emails/{email_id}` answers.
  private var writtenMails: EventStreamSource {
    EventStreamSource(last: followMails.last) { number, limit in
      try await followMails(after: number, limit: limit).map {
        ServerSentEvent(id: $0.sequence, name: "mail", data: $0.mail)
      }
    }
  }

  private func mail(_ context: ServiceRequestContext) async throws -> Mail {
    guard let id = context.capture("email_id") else { throw Problem.notFound("There is nothing under this path.") }
    do {
      return try await getMail(id)
    } catch let error as UnknownMail {
      throw Problem.notFound(error.description)
    }
  }

  private func html(of mail: Mail) -> Response {
    var response = Response.text(mail.rendered().html, contentType: "text/html; charset=utf-8")
    response.headers[.contentSecurityPolicy] = Self.nothingButStyles
    response.headers[.xContentTypeOptions] = "nosniff"
    return response
  }

  private func eml(of mail: Mail) -> Response {
    var response = Response.text(mail.internetMessage(from: sender), contentType: "message/rfc822")
    response.headers[.contentDisposition] = "attachment; filename=\"\(mail.id.rawValue).eml\""
    response.headers[.xContentTypeOptions] = "nosniff"
    return response
  }

  /// A mail has one `<style>` and nothing else that a browser could load, run or submit.
  private static let nothingButStyles =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    + "sandbox"
}
