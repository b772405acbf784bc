import Testing

@testable import ServiceDefaults

@Suite struct MailConfigurationTests {
  @Test func withoutAServerMailsStayInTheMockMailbox() throws {
    let configuration = try load([:])
    #expect(configuration.smtp == nil)
    #expect(configuration.mailSender == .orderflow)
  }

  @Test func aServerIsReadFromItsURL() throws {
    let plain = try #require(try load(["SMTP_URL": "smtp://127.0.0.1:1025"]).smtp)
    #expect(plain.host == "127.0.0.1")
    #expect(plain.port == 1025)
    #expect(plain.encryption == .whereOffered)
    #expect(plain.credentials == nil)
    #expect(plain.connections == 4)

    let encrypted = try #require(
      try load(["SMTP_URL": "smtps://me%40shop:p%3A%2Fs%20s@mail.example", "SMTP_CONNECTIONS": "1"]).smtp)
    #expect(encrypted.port == 465)
    #expect(encrypted.encryption == .fromTheStart)
    #expect(encrypted.credentials == SMTPConfiguration.Credentials(user: "me@shop", password: "p:/s s"))
    #expect(encrypted.connections == 1)

    #expect(try load(["SMTP_URL": "SMTP://[::1]:25/"]).smtp?.host == "::1")
    #expect(try load(["SMTP_URL": "smtp://[::1]"]).smtp?.description == "smtp://[::1]:25")
  }

  @Test func aPasswordGoesInTheClearToThisMachineOnly() throws {
    #expect(try load(["SMTP_URL": "smtp://u:p@mail.example:587"]).smtp?.encryption == .required)
    #expect(try load(["SMTP_URL": "smtp://u:p@localhost:1025"]).smtp?.encryption == .whereOffered)
  }

  @Test(arguments: [
    "mail.example:25", "http://mail.example", "smtp://", "smtp://:25", "smtp://mail.example:0",
    "smtp://mail.example:70000",
    "smtp://mail example", "smtp://user@mail.example", "smtp://user:@mail.example", "smtp://u:s3cret@mail.example/path",
    "smtp://u:s3cret@mail.example?x=1", "smtp://u:s3cret%0Ax@mail.example", "smtp://u:s3c#ret@mail.example",
    "smtp://u:s3cret@ma{il}", "smtp://u:s3 cret@mail.example",
  ])
  func aBadURLStopsTheStartWithItsKeyAndWithoutThePassword(_ url: String) {
    let error = #expect(throws: ConfigurationError.self) { try load(["SMTP_URL": url]) }
    #expect(error?.refusals.map(\.key) == ["SMTP_URL"])
    #expect(error?.description.contains("s3c") == false, "\(error?.description ?? "")")
  }

  @Test func thePasswordIsNeverPrinted() throws {
    let smtp = try #require(try load(["SMTP_URL": "smtp://shop:s3cret@mail.example:587"]).smtp)
    var dumped = ""
    dump(smtp, to: &dumped)
    for text in ["\(smtp)", String(reflecting: smtp), dumped, "\(Optional(smtp) as Any)"] {
      #expect(!text.contains("s3cret"), "\(text)")
      #expect(text.contains("mail.example"), "\(text)")
    }
  }

  @Test func aSenderIsAnAddressWithOrWithoutAName() throws {
    #expect(try load(["SMTP_FROM": "a@b.example"]).mailSender.address == "a@b.example")
    #expect(try load(["SMTP_FROM": "a@b.example"]).mailSender.name == nil)
    let named = try load(["SMTP_FROM": "The shop, Ltd. <orders+1@shop.example>"]).mailSender
    #expect(named.name == "The shop, Ltd.")
    #expect(named.address == "orders+1@shop.example")
  }

  @Test(arguments: [
    "nobody", "a@b>", "a b@c", "x <a@b", "a@b\r\nBcc: c@d", "Ü <a@b>", "\"x\" <a@b>", ".a@b", "a..b@c", "a@", "<>",
  ])
  func aSenderThatCannotStandInAHeaderStopsTheStart(_ sender: String) {
    let error = #expect(throws: ConfigurationError.self) { try load(["SMTP_FROM": sender]) }
    #expect(error?.refusals.map(\.key) == ["SMTP_FROM"])
  }

  @Test func aServiceThatSendsNoMailsKnowsNothingOfServers() throws {
    let identity = ServiceIdentity(
      name: "silent", displayName: "Silent", defaultPort: 1, consumes: [], produces: [])
    guard
      case .configuration(let configuration) = try ServiceConfiguration.load(
        identity, arguments: [], environment: ["SMTP_URL": "nonsense"])
    else { throw CancellationError() }
    #expect(configuration.smtp == nil)
    #expect(!ServiceConfiguration.helpText(identity).contains("SMTP_"))
  }

  private func load(_ environment: [String: String]) throws -> ServiceConfiguration {
    let identity = ServiceIdentity(
      name: "example-service", displayName: "ExampleService", defaultPort: 8090, consumes: [], produces: [],
      sendsMails: true)
    guard
      case .configuration(let configuration) = try ServiceConfiguration.load(
        identity, arguments: [], environment: environment)
    else { throw CancellationError() }
    return configuration
  }
}
