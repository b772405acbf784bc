import HTTPTypes
import Hummingbird
import NIOCore
import WireFormat

extension Response {
  /// An answer in JSON.
  public static func json(
    _ value: some JSONEncodable, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
  ) -> Response {
    var headers = headers
    headers[.contentType] = "application/json"
    return Response(
      status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: value.jsonBytes)))
  }

  /// An answer that is a text of some type: `text/html; charset=utf-8`, `message/rfc822`, ...
  public static func text(
    _ text: String, contentType: String, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
  ) -> Response {
    var headers = headers
    headers[.contentType] = contentType
    return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }
}
