import Hummingbird
import Configuration
import GRDB
