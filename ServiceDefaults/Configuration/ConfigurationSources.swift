import Configuration
import WireFormat

/// The places that a configuration comes from, the strongest first: command line, environment, file.
///
/// All three are brought to the names of environment variables, and read through swift-configuration.
struct ConfigurationSources {
  var arguments: [String: String]
  var environment: [String: String]
  var file: [String: String] = [:]

  /// What an option, a variable or a member of the file says; an empty value counts as none.
  func value(of key: String, isSecret: Bool = false) -> String? {
    let value = reader.string(forKey: Self.configKey(key), isSecret: isSecret)
    return value.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// Every name in any of the places that starts with `prefix`.
  func names(withPrefix prefix: String) -> [String] {
    Set([arguments, environment, file].flatMap(\.keys)).filter { $0.hasPrefix(prefix) }.sorted()
  }

  /// The reader is made per look-up: a start reads some dozens of keys, once.
  private var reader: ConfigReader {
    ConfigReader(providers: [
      EnvironmentVariablesProvider(environmentVariables: arguments),
      EnvironmentVariablesProvider(environmentVariables: environment),
      EnvironmentVariablesProvider(environmentVariables: file),
    ])
  }

  private static func configKey(_ name: String) -> ConfigKey {
    ConfigKey(name.lowercased().split(separator: "_", omittingEmptySubsequences: false).map(String.init))
  }
}

/// `--http-port 8081`, `--http-port=8081`, `--allow-anonymous`, `--help`.
struct CommandLineOptions {
  var values: [String: String] = [:]
  var refusals: [ConfigurationError.Refusal] = []
  var wantsHelp = false

  init(_ arguments: [String], keys: [ConfigurationKey]) {
    var rest = arguments.makeIterator()
    var pending = rest.next()
    while let argument = pending {
      pending = rest.next()
      guard argument != "--help", argument != "-h" else {
        wantsHelp = true
        continue
      }
      guard argument.hasPrefix("--") else {
        refusals.append(.init(key: argument, reason: "is not an option; --help lists them"))
        continue
      }
      let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = Self.variable(String(parts[0]))
      guard keys.contains(where: { $0.name == name }) || name.hasPrefix("KAFKA_") else {
        refusals.append(.init(key: String(parts[0]), reason: "is not an option; --help lists them"))
        continue
      }
      if parts.count == 2 {
        values[name] = String(parts[1])
      } else if let value = pending, !value.hasPrefix("--") {
        values[name] = value
        pending = rest.next()
      } else if keys.contains(where: { $0.name == name && $0.kind == .flag }) {
        values[name] = "true"
      } else {
        refusals.append(.init(key: String(parts[0]), reason: "wants a value"))
      }
    }
  }

  /// `--http-port` -> `HTTP_PORT`
  private static func variable(_ option: String) -> String {
    String(option.dropFirst(2)).uppercased().replacing("-", with: "_").replacing(".", with: "_")
  }
}

/// A JSON object of keys, nested or flat: `{"HTTP_PORT":1}`, `{"http_port":1}` and `{"http":{"port":1}}` are the same.
struct ConfigurationFile {
  var values: [String: String] = [:]
  var refusals: [ConfigurationError.Refusal] = []

  init(json bytes: [UInt8], keys: [ConfigurationKey]) {
    do {
      guard let object = try JSONValue(parsing: bytes).object else {
        refusals.append(.init(key: "CONFIG_FILE", reason: "does not hold a JSON object"))
        return
      }
      add(object, prefix: "", keys: Set(keys.map(\.name)))
    } catch {
      refusals.append(.init(key: "CONFIG_FILE", reason: "is not JSON: \(error)"))
    }
  }

  private mutating func add(_ object: JSONObject, prefix: String, keys: Set<String>) {
    for member in object.members {
      let key = prefix + member.name.uppercased().replacing("-", with: "_").replacing(".", with: "_")
      switch member.value {
      case .object(let inner): add(inner, prefix: key + "_", keys: keys)
      case .null: continue
      case .array: refusals.append(.init(key: key, reason: "is an array in the file; a single value is wanted"))
      case .string(let text): add(key, text, keys: keys)
      case .number(let number): add(key, number.text, keys: keys)
      case .bool(let flag): add(key, "\(flag)", keys: keys)
      }
    }
  }

  private mutating func add(_ key: String, _ text: String, keys: Set<String>) {
    guard keys.contains(key) || key.hasPrefix("KAFKA_") else {
      refusals.append(.init(key: key, reason: "is in the file, and is no key of this service"))
      return
    }
    values[key] = text
  }
}
