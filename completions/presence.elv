
use builtin;
use str;

set edit:completion:arg-completer[presence] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'presence'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'presence'= {
            cand -q 'Say nothing on standard error but warnings and errors'
            cand --quiet 'Say nothing on standard error but warnings and errors'
            cand -v 'Say on standard error what is going on inside; twice: in libraries too'
            cand --verbose 'Say on standard error what is going on inside; twice: in libraries too'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand watch 'Shows who comes and goes, as it happens'
            cand check 'Answers whether clients are online, and how that is known'
            cand replay 'Judges recorded events: recordings, notices, broker logs'
            cand demo 'Shows a small fleet living and dying, and what was heard of it'
            cand broker 'Runs a small MQTT broker that tells who comes and goes'
            cand store 'Looks after what watchers have kept'
            cand completions 'Prints the completions for a shell, or the manual page'
            cand simulate 'Lets devices come, live and die at a broker'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'presence;watch'= {
            cand --view 'Show changes as they come, or all clients on the whole screen'
            cand --client 'Show only clients whose id matches; may be given several times'
            cand --group 'Show only clients of this group; may be given several times'
            cand --only 'Show only what is, or becomes, of this state; may be given several times'
            cand --format 'Print each change by a template, such as ''{at} {client} {from}->{to} {cause}'''
            cand --share 'Share the work with all watchers of this group and store'
            cand --metrics 'Serve figures for Prometheus at this address, as HOST:PORT or PORT'
            cand --metrics-client 'Give clients whose id matches a figure of their own; may be given several times'
            cand --record 'Append everything that is heard to a file, for `presence replay`'
            cand --store 'File or Redis that keeps what is known, or `memory` for none'
            cand --store-password-file 'Read the password for the Redis from a file'
            cand --store-cafile 'Believe only these authorities about the Redis, a PEM file'
            cand --timeout 'Give up if the first connection takes longer'
            cand --broker-queue 'Messages that the broker queues for a session that is away, 0 for no limit'
            cand --bridge-gaps 'Treat absences up to this long as if nothing had happened'
            cand --forget-clients 'Forget clients that are away and were not heard of for this long'
            cand --debounce 'Tell a change only once it has lasted this long'
            cand --exec 'Run a command for each change'
            cand --exec-on 'Which changes the command is run for'
            cand --exec-parallel 'Commands that may run at the same time'
            cand --exec-timeout 'End a command that runs for longer, and all it has started'
            cand --exec-queue 'Changes that may wait for a command'
            cand --webhook 'Post changes as JSON to this URL'
            cand --webhook-on 'Which changes are posted'
            cand --webhook-secret-file 'Sign what is posted with the secret in this file'
            cand --webhook-cafile 'Believe only these certificate authorities for the webhook'
            cand --webhook-timeout 'Give up one attempt to post after this long'
            cand --webhook-queue 'Changes that may wait to be posted'
            cand --fail-on 'End with exit code 1 as soon as this happens'
            cand --for 'End after this time, with exit code 0'
            cand --count 'End after this many changes, with exit code 0'
            cand --profile 'Take options from this profile of the configuration file'
            cand -b 'Where the broker listens'
            cand --broker 'Where the broker listens'
            cand --instance 'Name the broker goes by in stores and output'
            cand -u 'User to connect as'
            cand --username 'User to connect as'
            cand --password-file 'Read the password from a file'
            cand -i 'Client id to connect with'
            cand --client-id 'Client id to connect with'
            cand -k 'Longest silence on the connection before it is probed'
            cand --keepalive 'Longest silence on the connection before it is probed'
            cand --mqtt-version 'Version of MQTT to speak'
            cand --cafile 'Believe only the certificate authorities in this PEM file'
            cand --ca 'Believe only the certificate authorities in this PEM file'
            cand --cert 'Certificate to show to the broker, a PEM file'
            cand --key 'Private key of the certificate, a PEM file without passphrase'
            cand --tls-alpn 'Application protocol to name in the TLS handshake'
            cand --alpn 'Application protocol to name in the TLS handshake'
            cand --dialect 'Way of announcing clients to understand; may be given several times'
            cand --topic 'Listen here instead of where the dialect says; may be given several times'
            cand --status-topic 'Where devices keep their own status, with `{client}` in the place of the client id'
            cand --status-online 'Word that means online there; may be given several times'
            cand --status-offline 'Word that means offline there; may be given several times'
            cand --status-json 'Where the word stands in a status that is JSON, as a JSON pointer such as `/state`'
            cand --time-zone 'Zone of stamps in local time, such as `Europe/Berlin`, `UTC` or `+02:00`'
            cand --skew 'Largest difference assumed between the clocks of two nodes of a broker'
            cand --close-grace 'Wait for the transport to end after a client has said goodbye'
            cand --future 'How far ahead of our clock a stamp may be and still be believed'
            cand --channels 'Channels remembered per client'
            cand --loop 'Connects within a time that count as flapping, as COUNT/DURATION'
            cand --anomalies 'Show only clients whose history is odd'
            cand --json 'Print one JSON object a line'
            cand --metrics-public 'Let other machines fetch the figures'
            cand --clean 'Leave no session behind at the broker'
            cand --print-config 'Print every option with its value and where it comes from, and do nothing'
            cand --password-stdin 'Read the password from standard input'
            cand --insecure 'Accept any certificate from whoever answers'
            cand -q 'Say nothing on standard error but warnings and errors'
            cand --quiet 'Say nothing on standard error but warnings and errors'
            cand -v 'Say on standard error what is going on inside; twice: in libraries too'
            cand --verbose 'Say on standard error what is going on inside; twice: in libraries too'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'presence;check'= {
            cand --fleet 'Read more client ids from a file, one a line; `-` is standard input'
            cand --evidence 'Evidence to gather'
            cand --timeout 'Longest time that gathering evidence may take'
            cand --profile 'Take options from this profile of the configuration file'
            cand --store 'File or Redis that keeps what is known, or `memory` for none'
            cand --store-password-file 'Read the password for the Redis from a file'
            cand --store-cafile 'Believe only these authorities about the Redis, a PEM file'
            cand -b 'Where the broker listens'
            cand --broker 'Where the broker listens'
            cand --instance 'Name the broker goes by in stores and output'
            cand -u 'User to connect as'
            cand --username 'User to connect as'
            cand --password-file 'Read the password from a file'
            cand -i 'Client id to connect with'
            cand --client-id 'Client id to connect with'
            cand -k 'Longest silence on the connection before it is probed'
            cand --keepalive 'Longest silence on the connection before it is probed'
            cand --mqtt-version 'Version of MQTT to speak'
            cand --cafile 'Believe only the certificate authorities in this PEM file'
            cand --ca 'Believe only the certificate authorities in this PEM file'
            cand --cert 'Certificate to show to the broker, a PEM file'
            cand --key 'Private key of the certificate, a PEM file without passphrase'
            cand --tls-alpn 'Application protocol to name in the TLS handshake'
            cand --alpn 'Application protocol to name in the TLS handshake'
            cand --dialect 'Way of announcing clients to understand; may be given several times'
            cand --topic 'Listen here instead of where the dialect says; may be given several times'
            cand --status-topic 'Where devices keep their own status, with `{client}` in the place of the client id'
            cand --status-online 'Word that means online there; may be given several times'
            cand --status-offline 'Word that means offline there; may be given several times'
            cand --status-json 'Where the word stands in a status that is JSON, as a JSON pointer such as `/state`'
            cand --time-zone 'Zone of stamps in local time, such as `Europe/Berlin`, `UTC` or `+02:00`'
            cand --skew 'Largest difference assumed between the clocks of two nodes of a broker'
            cand --close-grace 'Wait for the transport to end after a client has said goodbye'
            cand --future 'How far ahead of our clock a stamp may be and still be believed'
            cand --channels 'Channels remembered per client'
            cand --loop 'Connects within a time that count as flapping, as COUNT/DURATION'
            cand --explain 'Show the evidence of every voice, and what decided'
            cand --json 'Print one JSON object a line'
            cand --fresh 'Ask every source, even where the store already knows'
            cand --print-config 'Print every option with its value and where it comes from, and do nothing'
            cand --password-stdin 'Read the password from standard input'
            cand --insecure 'Accept any certificate from whoever answers'
            cand -q 'Say nothing on standard error but warnings and errors'
            cand --quiet 'Say nothing on standard error but warnings and errors'
            cand -v 'Say on standard error what is going on inside; twice: in libraries too'
            cand --verbose 'Say on standard error what is going on inside; twice: in libraries too'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'presence;replay'= {
            cand --client 'Show only clients whose id matches; may be given several times'
            cand --at 'Moment to judge at, as RFC 3339 or milliseconds since 1970'
            cand --now 'What to take for the present when a plain log is read, as RFC 3339 or ms since 1970'
            cand --instance 'Name of the broker that plain logs are about'
            cand --profile 'Take options from this profile of the configuration file'
            cand --dialect 'Way of announcing clients to understand; may be given several times'
            cand --topic 'Listen here instead of where the dialect says; may be given several times'
            cand --status-topic 'Where devices keep their own status, with `{client}` in the place of the client id'
            cand --status-online 'Word that means online there; may be given several times'
            cand --status-offline 'Word that means offline there; may be given several times'
            cand --status-json 'Where the word stands in a status that is JSON, as a JSON pointer such as `/state`'
            cand --time-zone 'Zone of stamps in local time, such as `Europe/Berlin`, `UTC` or `+02:00`'
            cand --skew 'Largest difference assumed between the clocks of two nodes of a broker'
            cand --close-grace 'Wait for the transport to end after a client has said goodbye'
            cand --future 'How far ahead of our clock a stamp may be and still be believed'
            cand --channels 'Channels remembered per client'
            cand --loop 'Connects within a time that count as flapping, as COUNT/DURATION'
            cand --json 'Print one JSON object a line'
            cand --strict 'Fail on the first line that cannot be read'
            cand --print-config 'Print every option with its value and where it comes from, and do nothing'
            cand -q 'Say nothing on standard error but warnings and errors'
            cand --quiet 'Say nothing on standard error but warnings and errors'
            cand -v 'Say on standard error what is going on inside; twice: in libraries too'
            cand --verbose 'Say on standard error what is going on inside; twice: in libraries too'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'presence;demo'= {
            cand -q 'Say nothing on standard error but warnings and errors'
            cand --quiet 'Say nothing on standard error but warnings and errors'
            cand -v 'Say on standard error what is going on inside; twice: in libraries too'
            cand --verbose 'Say on standard error what is going on inside; twice: in libraries too'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'presence;broker'= {
            cand --listen 'Address to listen on; may be given several times'
            cand --password-file 'Let in only users in this file, lines `user:password`'
            cand --notice-topic 'Topic of the notices; `{client}` stands for the client id'
            cand --connections-max 'Clients that may be connected at the same time'
            cand --fault 'Make the notices lie; may be given several times'
            cand --fault-seed 'Seed of the chance in `--fault drop-notice`'
            cand -q 'Say nothing on standard error but warnings and errors'
            cand --quiet 'Say nothing on standard error but warnings and errors'
            cand -v 'Say on standard error what is going on inside; twice: in libraries too'
            cand --verbose 'Say on standard error what is going on inside; twice: in libraries too'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'presence;store'= {
            cand -q 'Say nothing on standard error but warnings and errors'
            cand --quiet 'Say nothing on standard error but warnings and errors'
            cand -v 'Say on standard error what is going on inside; twice: in libraries too'
            cand --verbose 'Say on standard error what is going on inside; twice: in libraries too'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand info 'Shows which brokers a store knows, who listened, and until when'
            cand import 'Joins files into a store: exports, recordings, notices, broker logs'
            cand export 'Prints all that a store knows as JSON Lines, for `store import` and `replay`'
            cand compact 'Gives space that is no longer used back to the disk'
            cand forget-session 'Removes the watcher''s session from the broker'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'presence;store;info'= {
            cand --profile 'Take options from this profile of the configuration file'
            cand --store 'File or Redis that keeps what is known, or `memory` for none'
            cand --store-password-file 'Read the password for the Redis from a file'
            cand --store-cafile 'Believe only these authorities about the Redis, a PEM file'
            cand --json 'Print one JSON object a line'
            cand --print-config 'Print every option with its value and where it comes from, and do nothing'
            cand -q 'Say nothing on standard error but warnings and errors'
            cand --quiet 'Say nothing on standard error but warnings and errors'
            cand -v 'Say on standard error what is going on inside; twice: in libraries too'
            cand --verbose 'Say on standard error what is going on inside; twice: in libraries too'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'presence;store;import'= {
            cand --instance 'Name of the broker that plain logs are about'
            cand --profile 'Take options from this profile of the configuration file'
            cand --store 'File or Redis that keeps what is known, or `memory` for none'
            cand --store-password-file 'Read the password for the Redis from a file'
            cand --store-cafile 'Believe only these authorities about the Redis, a PEM file'
            cand --dialect 'Way of announcing clients to understand; may be given several times'
            cand --topic 'Listen here instead of where the dialect says; may be given several times'
            cand --status-topic 'Where devices keep their own status, with `{client}` in the place of the client id'
            cand --status-online 'Word that means online there; may be given several times'
            cand --status-offline 'Word that means offline there; may be given several times'
            cand --status-json 'Where the word stands in a status that is JSON, as a JSON pointer such as `/state`'
            cand --time-zone 'Zone of stamps in local time, such as `Europe/Berlin`, `UTC` or `+02:00`'
            cand --skew 'Largest difference assumed between the clocks of two nodes of a broker'
            cand --close-grace 'Wait for the transport to end after a client has said goodbye'
            cand --future 'How far ahead of our clock a stamp may be and still be believed'
            cand --channels 'Channels remembered per client'
            cand --loop 'Connects within a time that count as flapping, as COUNT/DURATION'
            cand --strict 'Fail on the first line that cannot be read, and import nothing'
            cand --print-config 'Print every option with its value and where it comes from, and do nothing'
            cand -q 'Say nothing on standard error but warnings and errors'
            cand --quiet 'Say nothing on standard error but warnings and errors'
            cand -v 'Say on standard error what is going on inside; twice: in libraries too'
            cand --verbose 'Say on standard error what is going on inside; twice: in libraries too'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'presence;store;export'= {
            cand --instance 'Only this broker'
            cand --profile 'Take options from this profile of the configuration file'
            cand --store 'File or Redis that keeps what is known, or `memory` for none'
            cand --store-password-file 'Read the password for the Redis from a file'
            cand --store-cafile 'Believe only these authorities about the Redis, a PEM file'
            cand --print-config 'Print every option with its value and where it comes from, and do nothing'
            cand -q 'Say nothing on standard error but warnings and errors'
            cand --quiet 'Say nothing on standard error but warnings and errors'
            cand -v 'Say on standard error what is going on inside; twice: in libraries too'
            cand --verbose 'Say on standard error what is going on inside; twice: in libraries too'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'presence;store;compact'= {
            cand --profile 'Take options from this profile of the configuration file'
            cand --store 'File or Redis that keeps what is known, or `memory` for none'
            cand --store-password-file 'Read the password for the Redis from a file'
            cand --store-cafile 'Believe only these authorities about the Redis, a PEM file'
            cand --print-config 'Print every option with its value and where it comes from, and do nothing'
            cand -q 'Say nothing on standard error but warnings and errors'
            cand --quiet 'Say nothing on standard error but warnings and errors'
            cand -v 'Say on standard error what is going on inside; twice: in libraries too'
            cand --verbose 'Say on standard error what is going on inside; twice: in libraries too'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'presence;store;forget-session'= {
            cand --member 'Remove a dead member of a shared group, by its client id'
            cand --profile 'Take options from this profile of the configuration file'
            cand --store 'File or Redis that keeps what is known, or `memory` for none'
            cand --store-password-file 'Read the password for the Redis from a file'
            cand --store-cafile 'Believe only these authorities about the Redis, a PEM file'
            cand -b 'Where the broker listens'
            cand --broker 'Where the broker listens'
            cand --instance 'Name the broker goes by in stores and output'
            cand -u 'User to connect as'
            cand --username 'User to connect as'
            cand --password-file 'Read the password from a file'
            cand -i 'Client id to connect with'
            cand --client-id 'Client id to connect with'
            cand -k 'Longest silence on the connection before it is probed'
            cand --keepalive 'Longest silence on the connection before it is probed'
            cand --mqtt-version 'Version of MQTT to speak'
            cand --cafile 'Believe only the certificate authorities in this PEM file'
            cand --ca 'Believe only the certificate authorities in this PEM file'
            cand --cert 'Certificate to show to the broker, a PEM file'
            cand --key 'Private key of the certificate, a PEM file without passphrase'
            cand --tls-alpn 'Application protocol to name in the TLS handshake'
            cand --alpn 'Application protocol to name in the TLS handshake'
            cand --print-config 'Print every option with its value and where it comes from, and do nothing'
            cand --password-stdin 'Read the password from standard input'
            cand --insecure 'Accept any certificate from whoever answers'
            cand -q 'Say nothing on standard error but warnings and errors'
            cand --quiet 'Say nothing on standard error but warnings and errors'
            cand -v 'Say on standard error what is going on inside; twice: in libraries too'
            cand --verbose 'Say on standard error what is going on inside; twice: in libraries too'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'presence;store;help'= {
            cand info 'Shows which brokers a store knows, who listened, and until when'
            cand import 'Joins files into a store: exports, recordings, notices, broker logs'
            cand export 'Prints all that a store knows as JSON Lines, for `store import` and `replay`'
            cand compact 'Gives space that is no longer used back to the disk'
            cand forget-session 'Removes the watcher''s session from the broker'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'presence;store;help;info'= {
        }
        &'presence;store;help;import'= {
        }
        &'presence;store;help;export'= {
        }
        &'presence;store;help;compact'= {
        }
        &'presence;store;help;forget-session'= {
        }
        &'presence;store;help;help'= {
        }
        &'presence;completions'= {
            cand -q 'Say nothing on standard error but warnings and errors'
            cand --quiet 'Say nothing on standard error but warnings and errors'
            cand -v 'Say on standard error what is going on inside; twice: in libraries too'
            cand --verbose 'Say on standard error what is going on inside; twice: in libraries too'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'presence;simulate'= {
            cand --count 'How many devices [default: 100, or as the scenario says]'
            cand --rate 'Devices that come, and later go, per second [default: 1000]'
            cand --ramp 'Time within which all devices come, instead of a rate'
            cand --duration 'How long the whole run takes [default: 20s, or more if the devices need it to come]'
            cand --scenario 'Let devices do what a scenario says: a file, or the name of a preset'
            cand --deaths 'How devices die, in shares that add up to 100 [default: disconnect=100]'
            cand --nat-drop 'Let a router forget devices this long after they connected'
            cand --storm 'Reset a share of the devices at one moment, and let them return at once'
            cand --lives 'How often each device lives [default: 1, or 2 with --return-after]'
            cand --return-after 'Time between a death and the next life of a device [default: 2s]'
            cand --seed 'Number that decides whom a death hits [default: a random one, which is shown]'
            cand --shard 'Carry out only a part of the plan, on one of several machines'
            cand --run 'Mark of this run, `{run}` in templates [default: 6 random hexadecimal digits]'
            cand --credentials 'Read user and password of each device from a CSV file'
            cand --session-expiry 'How long a kept session outlives its connection, MQTT 5 only [default: 1h]'
            cand --keepalive-profile 'Whose way of keeping a connection alive devices have'
            cand --reconnect 'Let devices that were lost connect again, after this time or 1s'
            cand --will-topic 'Topic on which the broker announces a death'
            cand --will-payload 'What the broker announces'
            cand --will-message 'What the broker announces'
            cand --will-qos 'QoS of the will'
            cand --will-retain 'Let the broker keep the will for those who subscribe later; `false` for not'
            cand --will-delay 'How long the broker waits for a return before it announces the death, MQTT 5 only'
            cand --birth-topic 'Topic on which a device says that it is there'
            cand --birth-payload 'What a device says when it is there'
            cand --birth-qos 'QoS of the birth message'
            cand --birth-retain 'Let the broker keep the birth message; `false` for not'
            cand --publish-every 'Let each device publish at this interval'
            cand --publish-topic 'Topic that devices publish to'
            cand --payload 'What devices publish'
            cand --message 'What devices publish'
            cand --payload-size 'Publish this many bytes instead of a text'
            cand --qos 'QoS of what devices publish and subscribe to'
            cand --subscribe 'Let each device subscribe to this; may be given several times'
            cand --expect-window 'When a silence has to be noticed: the name of a broker, or a range [default: by what the broker says it is]'
            cand --dialect 'Evidence to listen for; may be given several times'
            cand --verify-username 'User to listen as [default: --username]'
            cand --verify-password-file 'Read the password to listen with from this file'
            cand --lag-max 'Longest hold-up of this process with which its figures are trusted'
            cand --report 'Write the report into this file as well, as a web page'
            cand --compare 'Compare with an earlier run, as `simulate --json` printed it'
            cand --bind-address 'Connect from this address of the machine; may be given several times'
            cand --source-ip 'Connect from this address of the machine; may be given several times'
            cand --in-flight 'Connections that are being made at the same time, at most'
            cand --timeout 'Longest time that a connection may take'
            cand --profile 'Take options from this profile of the configuration file'
            cand -b 'Where the broker listens'
            cand --broker 'Where the broker listens'
            cand --instance 'Name the broker goes by in stores and output'
            cand --password-file 'Read the password from a file'
            cand --mqtt-version 'Version of MQTT to speak'
            cand --cafile 'Believe only the certificate authorities in this PEM file'
            cand --ca 'Believe only the certificate authorities in this PEM file'
            cand --cert 'Certificate to show to the broker, a PEM file'
            cand --key 'Private key of the certificate, a PEM file without passphrase'
            cand --tls-alpn 'Application protocol to name in the TLS handshake'
            cand --alpn 'Application protocol to name in the TLS handshake'
            cand -i 'Client ids of the devices, a template [default: sim-{run}-{n}]'
            cand --client-id 'Client ids of the devices, a template [default: sim-{run}-{n}]'
            cand -u 'User to connect as, a template like the password'
            cand --username 'User to connect as, a template like the password'
            cand -k 'Longest silence of a device [default: 5s]'
            cand --keepalive 'Longest silence of a device [default: 5s]'
            cand --json 'Print one JSON object'
            cand --plan 'Print who would live when, and connect to nothing'
            cand --ids-are-mine 'Allow client ids without the mark of the run'
            cand --persistent 'Ask the broker to keep a session for each device'
            cand --no-read 'Let devices read nothing after CONNACK'
            cand --no-will 'Leave no will with the broker'
            cand --no-birth 'Say nothing when a device is there'
            cand --verify 'Match every life and death to what the broker says of it, and tell how late'
            cand --yes-load 'Put load on a broker that is neither on this machine nor in a private network'
            cand --print-config 'Print every option with its value and where it comes from, and do nothing'
            cand --password-stdin 'Read the password from standard input'
            cand --insecure 'Accept any certificate from whoever answers'
            cand -q 'Say nothing on standard error but warnings and errors'
            cand --quiet 'Say nothing on standard error but warnings and errors'
            cand -v 'Say on standard error what is going on inside; twice: in libraries too'
            cand --verbose 'Say on standard error what is going on inside; twice: in libraries too'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand merge 'Joins the reports of the shards of one run'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'presence;simulate;merge'= {
            cand --report 'Write the report into this file as well, as a web page'
            cand --compare 'Compare with an earlier run, as `simulate --json` printed it'
            cand --json 'Print one JSON object a line'
            cand -q 'Say nothing on standard error but warnings and errors'
            cand --quiet 'Say nothing on standard error but warnings and errors'
            cand -v 'Say on standard error what is going on inside; twice: in libraries too'
            cand --verbose 'Say on standard error what is going on inside; twice: in libraries too'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'presence;simulate;help'= {
            cand merge 'Joins the reports of the shards of one run'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'presence;simulate;help;merge'= {
        }
        &'presence;simulate;help;help'= {
        }
        &'presence;help'= {
            cand watch 'Shows who comes and goes, as it happens'
            cand check 'Answers whether clients are online, and how that is known'
            cand replay 'Judges recorded events: recordings, notices, broker logs'
            cand demo 'Shows a small fleet living and dying, and what was heard of it'
            cand broker 'Runs a small MQTT broker that tells who comes and goes'
            cand store 'Looks after what watchers have kept'
            cand completions 'Prints the completions for a shell, or the manual page'
            cand simulate 'Lets devices come, live and die at a broker'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'presence;help;watch'= {
        }
        &'presence;help;check'= {
        }
        &'presence;help;replay'= {
        }
        &'presence;help;demo'= {
        }
        &'presence;help;broker'= {
        }
        &'presence;help;store'= {
            cand info 'Shows which brokers a store knows, who listened, and until when'
            cand import 'Joins files into a store: exports, recordings, notices, broker logs'
            cand export 'Prints all that a store knows as JSON Lines, for `store import` and `replay`'
            cand compact 'Gives space that is no longer used back to the disk'
            cand forget-session 'Removes the watcher''s session from the broker'
        }
        &'presence;help;store;info'= {
        }
        &'presence;help;store;import'= {
        }
        &'presence;help;store;export'= {
        }
        &'presence;help;store;compact'= {
        }
        &'presence;help;store;forget-session'= {
        }
        &'presence;help;completions'= {
        }
        &'presence;help;simulate'= {
            cand merge 'Joins the reports of the shards of one run'
        }
        &'presence;help;simulate;merge'= {
        }
        &'presence;help;help'= {
        }
    ]
    $completions[$command]
}
