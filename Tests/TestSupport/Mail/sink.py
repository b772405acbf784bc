"""A mail server that prints each mail as a line of JSON, and treats it as the recipient's name says.

refused-*  550 at RCPT TO            busy-*  451 the first time that a recipient is named
full-*     552 after the mail        slow-*  prints the mail, and takes two seconds to say that it has it
"""

import argparse
import asyncio
import email
import email.policy
import json
import ssl

from aiosmtpd.smtp import SMTP, AuthResult

options = argparse.ArgumentParser()
options.add_argument("port", type=int)
options.add_argument("--tls", choices=["never", "offered", "always"], default="never")
options.add_argument("--certificate")
options.add_argument("--key")
options.add_argument("--user")
options.add_argument("--password")
options = options.parse_args()


class Mailbox:
    seen = set()

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        kind = address.split("-")[0]
        if kind == "refused":
            return "550 5.1.1 there is no such mailbox"
        if kind == "busy" and address not in self.seen:
            self.seen.add(address)
            return "451 4.3.0 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        kind = envelope.rcpt_tos[0].split("-")[0]
        if kind == "full":
            return "552 5.2.2 the mailbox is full"
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        print(json.dumps({
            "envelope_from": envelope.mail_from, "envelope_to": envelope.rcpt_tos, "from": mail["From"],
            "message_id": mail["Message-ID"], "subject": mail["Subject"], "peer": session.peer[1],
            "text": mail.get_body(("plain",)).get_content().replace("\r\n", "\n"),
            "encrypted": session.ssl is not None or options.tls == "always", "user": session.auth_data or "",
        }), flush=True)
        if kind == "slow":
            await asyncio.sleep(2)
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    if data.login.decode() == options.user and data.password.decode() == options.password:
        return AuthResult(success=True, auth_data=options.user)
    return AuthResult(success=False, handled=False)


async def main():
    tls = None
    if options.tls != "never":
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(options.certificate, options.key)
    mailbox = Mailbox()

    def connection():
        return SMTP(
            mailbox, hostname="sink.example", tls_context=tls if options.tls == "offered" else None,
            authenticator=authenticate, auth_required=options.user is not None, auth_require_tls=options.tls == "offered")

    server = await asyncio.get_running_loop().create_server(
        connection, "127.0.0.1", options.port, ssl=tls if options.tls == "always" else None)
    print(f"listening {server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


asyncio.run(main())
