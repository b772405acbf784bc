import CCurl
import Foundation
import Messaging
import ServiceDefaults

/// A connection to a mail server that is kept open between mails. libcurl speaks SMTP: STARTTLS and AUTH, and the dots that
/// have to be doubled.
///
/// Threads: it blocks, and belongs to the thread that made it.
final class SMTPConnection: MailTransport {
  private let handle: UnsafeMutableRawPointer
  private let exchange: SMTPExchange
  private let sender: MailSender
  /// libcurl writes into it as long as the handle lives.
  private let problem = UnsafeMutableBufferPointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

  /// Tells libcurl, once for the whole process, that it will be used: best before there are threads.
  static func prepare() { _ = isPrepared }

  private static let isPrepared = ccurl_start() == CURLE_OK

  /// - Parameters:
  ///   - timeout: for a mail, the connection included.
  ///   - isInterrupted: asked at least once a second; true breaks off the mail in hand.
  /// - Throws: `StartError` where libcurl cannot do what `server` wants.
  init(
    to server: SMTPConfiguration, from sender: MailSender, timeout: Duration,
    isInterrupted: @escaping @Sendable () -> Bool
  ) throws {
    guard Self.isPrepared, let handle = curl_easy_init() else { throw StartError("libcurl cannot be used") }
    self.handle = handle
    self.sender = sender
    exchange = SMTPExchange(isInterrupted: isInterrupted)
    problem.initialize(repeating: 0)
    let isAsWanted = [
      set(CURLOPT_URL, server.description), set(CURLOPT_MAIL_FROM, "<\(sender.address)>"),
      // Signals are the process's own affair.
      set(CURLOPT_NOSIGNAL, 1), set(CURLOPT_UPLOAD, 1), set(CURLOPT_TCP_KEEPALIVE, 1),
      set(CURLOPT_CONNECTTIMEOUT_MS, 10_000), set(CURLOPT_TIMEOUT_MS, Int(timeout / .milliseconds(1))),
      set(CURLOPT_SERVER_RESPONSE_TIMEOUT, Int(timeout / .seconds(1))),
      // A proxy of the environment is for the web.
      set(CURLOPT_PROXY, ""),
      encrypt(server),
      server.credentials.map { set(CURLOPT_USERNAME, $0.user) && set(CURLOPT_PASSWORD, $0.password) } ?? true,
      listen(),
    ]
    guard isAsWanted.allSatisfy({ $0 }) else { throw StartError("libcurl cannot speak SMTP as SMTP_URL wants it") }
  }

  deinit {
    close()
    curl_easy_cleanup(handle)
    problem.deallocate()
  }

  func deliver(_ mail: Mail) -> MailOutcome {
    let message = Array(mail.internetMessage(from: sender).utf8)
    var recipients = curl_slist_append(nil, "<\(mail.recipient)>")
    defer {
      curl_slist_free_all(recipients)
      recipients = nil
    }
    exchange.begin(message)
    problem[0] = 0
    guard ccurl_set_list(handle, CURLOPT_MAIL_RCPT, recipients) == CURLE_OK,
      ccurl_set_size(handle, CURLOPT_INFILESIZE_LARGE, curl_off_t(message.count)) == CURLE_OK
    else { return .refusedForNow("libcurl has no memory") }
    let result = curl_easy_perform(handle)
    switch result {
    case CURLE_OK: return .taken
    case CURLE_ABORTED_BY_CALLBACK: return .interrupted
    default: return MailOutcome(failedAt: exchange.stage, reply: replyCode, explanation(of: result))
    }
  }

  /// The connection is simply cut: a QUIT would wait for its answer, and a server that hangs has minutes for it.
  func close() {
    var socket = curl_socket_t(-1)
    guard ccurl_get_socket(handle, &socket) == CURLE_OK, socket >= 0 else { return }
    shutdown(socket, Int32(SHUT_RDWR))
  }

  private var replyCode: Int {
    var code = 0
    return ccurl_get_long(handle, CURLINFO_RESPONSE_CODE, &code) == CURLE_OK ? code : 0
  }

  /// The server's own words where it has said no, else libcurl's.
  private func explanation(of result: CURLcode) -> String {
    let reply = exchange.lastReply
    if replyCode >= 400, !reply.isEmpty { return reply }
    let text = String(decoding: problem.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return onOneLine(text.isEmpty ? String(cString: curl_easy_strerror(result)) : text)
  }

  private func encrypt(_ server: SMTPConfiguration) -> Bool {
    let wanted = server.encryption == .whereOffered ? CURLUSESSL_TRY : CURLUSESSL_ALL
    guard set(CURLOPT_USE_SSL, Int(wanted.rawValue)) else { return false }
    return server.certificateAuthorities.map { set(CURLOPT_CAINFO, $0) } ?? true
  }

  /// Has libcurl ask and tell ``exchange``, which lives as long as the handle.
  private func listen() -> Bool {
    let exchange = Unmanaged.passUnretained(exchange).toOpaque()
    return ccurl_set_pointer(handle, CURLOPT_READDATA, exchange) == CURLE_OK
      && ccurl_set_pointer(handle, CURLOPT_XFERINFODATA, exchange) == CURLE_OK
      && ccurl_set_pointer(handle, CURLOPT_DEBUGDATA, exchange) == CURLE_OK
      && ccurl_set_pointer(handle, CURLOPT_ERRORBUFFER, problem.baseAddress) == CURLE_OK
      && ccurl_set_reader(handle, Callbacks.read) == CURLE_OK
      && ccurl_set_progress(handle, Callbacks.progress) == CURLE_OK
      && ccurl_set_debug(handle, Callbacks.debug) == CURLE_OK
      && set(CURLOPT_NOPROGRESS, 0) && set(CURLOPT_VERBOSE, 1)
  }

  private func set(_ option: CURLoption, _ value: Int) -> Bool { ccurl_set_long(handle, option, value) == CURLE_OK }
  private func set(_ option: CURLoption, _ value: String) -> Bool { ccurl_set_text(handle, option, value) == CURLE_OK }
}

/// Called by libcurl on the connection's thread, inside of `curl_easy_perform`.
private enum Callbacks {
  static let read: curl_read_callback = { buffer, size, count, exchange in
    guard let buffer, let exchange = Callbacks.exchange(exchange) else { return 0 }
    return exchange.read(into: UnsafeMutableRawBufferPointer(start: buffer, count: size * count))
  }

  static let progress: curl_xferinfo_callback = { exchange, _, _, _, _ in
    Callbacks.exchange(exchange)?.isInterrupted == true ? 1 : 0
  }

  static let debug: curl_debug_callback = { _, kind, text, count, exchange in
    guard let text, let exchange = Callbacks.exchange(exchange) else { return 0 }
    let bytes = UnsafeRawBufferPointer(start: text, count: count)
    switch kind {
    case CURLINFO_HEADER_OUT: exchange.sent(bytes)
    case CURLINFO_HEADER_IN: exchange.received(bytes)
    default: break
    }
    return 0
  }

  private static func exchange(_ pointer: UnsafeMutableRawPointer?) -> SMTPExchange? {
    pointer.map { Unmanaged<SMTPExchange>.fromOpaque($0).takeUnretainedValue() }
  }
}
