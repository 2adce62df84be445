/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The commands of og-veil, in the order of the overview: the one list that help, completions and manual are checked against. */
#include "cli.h"

#include <glib/gi18n.h>

static const VeilCommand commands[] = {
  { "serve", NULL, N_ ("Serve the OpenAI-compatible endpoint"),
    N_ ("In the background: prints the address, where the log is and how to stop it, once requests are accepted. With -f in the\n"
        "foreground: prints \"listening on http://HOST:PORT/v1\" on standard output and logs to standard error; a service manager "
        "or a\n"
        "container can run it, for it needs neither display nor session bus. One server runs for each home; a second start says "
        "who runs.\n"
        "SIGTERM ends it within five seconds, SIGHUP reads the settings again, SIGUSR1 starts it again in place."),
    "og-veil serve\n"
    "og-veil serve -f --sandbox --port 0\n"
    "og-veil serve -f --session-store file --refresh-interval 60",
    veil_command_serve },
  { "stop", NULL, N_ ("End the server"),
    N_ ("Ends the server of this home, whoever started it. Requests that run get up to five seconds."), "og-veil stop",
    veil_command_stop },
  { "restart", NULL, N_ ("Start the server again"),
    N_ ("The server ends and starts again with the arguments and the environment it had, under the same process number: what\n"
        "supervises it sees no end, and a new version of the program is taken up."),
    "og-veil restart", veil_command_restart },
  { "status", NULL, N_ ("Say who is signed in, what runs, and which enclave is in use"),
    N_ ("Version, account, network, address and process number of the server, enclave and build in use, and how many answers were\n"
        "verified and refused. Tokens are never shown."),
    "og-veil status\n"
    "og-veil status --json | jq .server.url",
    veil_command_status },
  { "test", "[PROMPT…]", N_ ("Ask the running endpoint something, as an agent would"),
    N_ ("Prints the answer, that it was verified, and the enclave that signed it."),
    "og-veil test\n"
    "og-veil test --model gpt-4.1 What can you see?\n"
    "og-veil test --receipt receipt.json",
    veil_command_test },
  { "env", NULL, N_ ("Print the two lines that point an OpenAI program at Veil"),
    N_ ("The lines are for a shell to evaluate. An API key is referred to by its variable and never printed."),
    "eval \"$(og-veil env)\"", veil_command_env },
  { "models", NULL, N_ ("List the models"), N_ ("The names that a request may ask for. Needs no network."),
    "og-veil models\n"
    "og-veil models --json | jq -r '.[] | select(.provider == \"openai\") | .id'",
    veil_command_models },
  { "tees", "[select ID | select auto]", N_ ("List the registry's enclaves, or select the one to use"),
    N_ ("Each is listed with its id, endpoint, build (PCR hash) and version, and whether it is pinned, selected or in use. A "
        "selected enclave is\n"
        "used or none is; \"auto\" lets Veil choose again. A running server follows with its next request.\n\n"
        "--attest asks an enclave itself what its hardware says of it, and holds that against the registry. This shows it your\n"
        "address, which prompts never do; it is done when you say so, and carries nothing else. Status 0 only if every check "
        "holds."),
    "og-veil tees\n"
    "og-veil tees --json\n"
    "og-veil tees select auto\n"
    "og-veil tees --attest ID",
    veil_command_tees },
  { "pin", "add HASH | remove HASH | list | compute", N_ ("Say which enclave builds may be used"),
    N_ ("With pins, only enclaves that run one of the pinned builds are used; without, any that the registry approves. A running "
        "server follows\n"
        "with its next request.\n\n"
        "`compute` prints the hash of a build that you reproduced, from its PCRs or its measurements file, and needs no network."),
    "og-veil pin add HASH --label \"audited in May\"\n"
    "og-veil pin list --json\n"
    "og-veil pin remove HASH\n"
    "og-veil pin compute --measurements measurements.txt --add --label reproduced",
    veil_command_pin },
  { "key", "set | clear | show", N_ ("Say which API key the endpoint requires"),
    N_ ("\"set\" reads the key from the terminal without showing it, or one line from standard input; it is kept where the session "
        "is kept,\n"
        "and required from then on, also by a server that runs. \"clear\" forgets it. An endpoint that other machines can reach "
        "must have\n"
        "one. OG_VEIL_API_KEY wins over it."),
    "og-veil key set\n"
    "openssl rand -hex 24 | og-veil key set\n"
    "og-veil key show",
    veil_command_key },
  { "login", NULL, N_ ("Sign in through the browser"),
    N_ ("Opens the sign-in page and waits up to five minutes. Passwords and tokens are never taken from the command line. A "
        "running server takes\n"
        "up the session at once."),
    "og-veil login\n"
    "og-veil login --no-browser\n"
    "og-veil login --manual --session-store file",
    veil_command_login },
  { "logout", NULL, N_ ("Forget the session"),
    N_ ("Removes the session from the keyring and its file. A running server stops using it at once."), "og-veil logout",
    veil_command_logout },
  { "setup", NULL, N_ ("Set Veil up, step by step"),
    N_ ("Asks for port, builds to pin, signing in, starting at login and starting now; what is set already is what Enter keeps, so "
        "that it\n"
        "can be done again. With --yes it asks nothing: it keeps what no option says, signs in if nobody is, and starts. Secrets "
        "are\n"
        "never asked for; signing in happens in the browser."),
    "og-veil setup\n"
    "og-veil setup --yes --port 11500 --autostart\n"
    "og-veil setup --yes --no-login --no-start --session-store file",
    veil_command_setup },
  { "update", NULL, N_ ("Update Veil, or say how"),
    N_ ("Finds out whether this is a Flatpak, a package of the distribution or a build from source. A clone that belongs to you is "
        "updated\n"
        "and built anew; what would need privileges is only said, and nothing is ever run as root."),
    "og-veil update\n"
    "og-veil update --dry-run",
    veil_command_update },
  { "verify", "FILE", N_ ("Check a receipt again, without network"),
    N_ ("Prints each check, and ends with status 0 only if every one is passed. The request's body and the answer can be checked "
        "against\n"
        "the receipt as well; \"-\" is standard input."),
    "og-veil verify receipt.json\n"
    "og-veil verify --request request.json --response answer.json receipt.json",
    veil_command_verify },
  { NULL },
};

/* Its help is the overview. */
static const VeilCommand plain = { "", NULL, "", "", "", veil_command_plain };

const VeilCommand *
veil_cli_get_commands (void)
{
  return commands;
}

const VeilCommand *
veil_cli_find_command (const char *name)
{
  for (const VeilCommand *command = commands; command->name != NULL; command++)
    if (g_str_equal (command->name, name))
      return command;
  return *name == '\0' ? &plain : NULL;
}
