
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'presence' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'presence'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'presence' {
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('watch', 'watch', [CompletionResultType]::ParameterValue, 'Shows who comes and goes, as it happens')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Answers whether clients are online, and how that is known')
            [CompletionResult]::new('probe', 'probe', [CompletionResultType]::ParameterValue, 'Tells which evidence a broker gives of clients, to this account, and how late')
            [CompletionResult]::new('demo', 'demo', [CompletionResultType]::ParameterValue, 'Shows a small fleet living and dying, and what was heard of it')
            [CompletionResult]::new('broker', 'broker', [CompletionResultType]::ParameterValue, 'Runs a small MQTT broker that tells who comes and goes')
            [CompletionResult]::new('store', 'store', [CompletionResultType]::ParameterValue, 'Looks after what watchers have kept')
            [CompletionResult]::new('dialects', 'dialects', [CompletionResultType]::ParameterValue, 'Lists the ways of announcing clients that are understood')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Prints the completions for a shell, or the manual page')
            [CompletionResult]::new('simulate', 'simulate', [CompletionResultType]::ParameterValue, 'Lets devices come, live and die at a broker')
            [CompletionResult]::new('replay', 'replay', [CompletionResultType]::ParameterValue, 'Judges recorded events: recordings, notices, broker logs')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'presence;watch' {
            [CompletionResult]::new('--view', '--view', [CompletionResultType]::ParameterName, 'Show changes as they come, or all clients on the whole screen')
            [CompletionResult]::new('--client', '--client', [CompletionResultType]::ParameterName, 'Show only clients whose id matches; may be given several times')
            [CompletionResult]::new('--group', '--group', [CompletionResultType]::ParameterName, 'Show only clients of this group; may be given several times')
            [CompletionResult]::new('--only', '--only', [CompletionResultType]::ParameterName, 'Show only what is, or becomes, of this state; may be given several times')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Print each change by a template, such as ''{at} {client} {from}->{to} {cause}''')
            [CompletionResult]::new('--share', '--share', [CompletionResultType]::ParameterName, 'Share the work with all watchers of this group and store')
            [CompletionResult]::new('--shard', '--shard', [CompletionResultType]::ParameterName, 'Read the Ith of N parts of the queues of a topic, and leave the others to watchers with the same store')
            [CompletionResult]::new('--metrics', '--metrics', [CompletionResultType]::ParameterName, 'Serve figures for Prometheus at this address, as HOST:PORT or PORT')
            [CompletionResult]::new('--metrics-client', '--metrics-client', [CompletionResultType]::ParameterName, 'Give clients whose id matches a figure of their own; may be given several times')
            [CompletionResult]::new('--record', '--record', [CompletionResultType]::ParameterName, 'Append everything that is heard to a file, for `presence replay`')
            [CompletionResult]::new('--probe', '--probe', [CompletionResultType]::ParameterName, 'Listen with the dialects that a probe recommends')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'File, Redis or PostgreSQL that keeps what is known, or `memory` for none')
            [CompletionResult]::new('--store-password-file', '--store-password-file', [CompletionResultType]::ParameterName, 'Read the password for the Redis or the PostgreSQL from a file')
            [CompletionResult]::new('--store-cafile', '--store-cafile', [CompletionResultType]::ParameterName, 'Believe only these authorities about the Redis or the PostgreSQL, a PEM file')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up if the first connection takes longer')
            [CompletionResult]::new('--broker-queue', '--broker-queue', [CompletionResultType]::ParameterName, 'Messages that the broker queues for a session that is away, 0 for no limit')
            [CompletionResult]::new('--bridge-gaps', '--bridge-gaps', [CompletionResultType]::ParameterName, 'Treat absences up to this long as if nothing had happened')
            [CompletionResult]::new('--forget-clients', '--forget-clients', [CompletionResultType]::ParameterName, 'Forget clients that are away and were not heard of for this long')
            [CompletionResult]::new('--debounce', '--debounce', [CompletionResultType]::ParameterName, 'Tell a change only once it has lasted this long')
            [CompletionResult]::new('--exec', '--exec', [CompletionResultType]::ParameterName, 'Run a command for each change')
            [CompletionResult]::new('--exec-on', '--exec-on', [CompletionResultType]::ParameterName, 'Which changes the command is run for')
            [CompletionResult]::new('--exec-parallel', '--exec-parallel', [CompletionResultType]::ParameterName, 'Commands that may run at the same time')
            [CompletionResult]::new('--exec-timeout', '--exec-timeout', [CompletionResultType]::ParameterName, 'End a command that runs for longer, and all it has started')
            [CompletionResult]::new('--exec-queue', '--exec-queue', [CompletionResultType]::ParameterName, 'Changes that may wait for a command')
            [CompletionResult]::new('--webhook', '--webhook', [CompletionResultType]::ParameterName, 'Post changes as JSON to this URL')
            [CompletionResult]::new('--webhook-on', '--webhook-on', [CompletionResultType]::ParameterName, 'Which changes are posted')
            [CompletionResult]::new('--webhook-secret-file', '--webhook-secret-file', [CompletionResultType]::ParameterName, 'Sign what is posted with the secret in this file')
            [CompletionResult]::new('--webhook-cafile', '--webhook-cafile', [CompletionResultType]::ParameterName, 'Believe only these certificate authorities for the webhook')
            [CompletionResult]::new('--webhook-timeout', '--webhook-timeout', [CompletionResultType]::ParameterName, 'Give up one attempt to post after this long')
            [CompletionResult]::new('--webhook-queue', '--webhook-queue', [CompletionResultType]::ParameterName, 'Changes that may wait to be posted')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'End with exit code 1 as soon as this happens')
            [CompletionResult]::new('--for', '--for', [CompletionResultType]::ParameterName, 'End after this time, with exit code 0')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'End after this many changes, with exit code 0')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Take options from this profile of the configuration file')
            [CompletionResult]::new('-b', '-b', [CompletionResultType]::ParameterName, 'Where the broker listens')
            [CompletionResult]::new('--broker', '--broker', [CompletionResultType]::ParameterName, 'Where the broker listens')
            [CompletionResult]::new('--instance', '--instance', [CompletionResultType]::ParameterName, 'Name the broker goes by in stores and output')
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'User to connect as')
            [CompletionResult]::new('--username', '--username', [CompletionResultType]::ParameterName, 'User to connect as')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'Read the password from a file')
            [CompletionResult]::new('--auth', '--auth', [CompletionResultType]::ParameterName, 'What user name and password are made of')
            [CompletionResult]::new('--auth-token-file', '--auth-token-file', [CompletionResultType]::ParameterName, 'Read the tokens for `--auth aliyun-token` from a file')
            [CompletionResult]::new('--aliyun-instance', '--aliyun-instance', [CompletionResultType]::ParameterName, 'Id of the instance of Alibaba Cloud''s MQTT, as in post-cn-0pp12gl')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Client id to connect with')
            [CompletionResult]::new('--client-id', '--client-id', [CompletionResultType]::ParameterName, 'Client id to connect with')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Longest silence on the connection before it is probed')
            [CompletionResult]::new('--keepalive', '--keepalive', [CompletionResultType]::ParameterName, 'Longest silence on the connection before it is probed')
            [CompletionResult]::new('--mqtt-version', '--mqtt-version', [CompletionResultType]::ParameterName, 'Version of MQTT to speak')
            [CompletionResult]::new('--cafile', '--cafile', [CompletionResultType]::ParameterName, 'Believe only the certificate authorities in this PEM file')
            [CompletionResult]::new('--ca', '--ca', [CompletionResultType]::ParameterName, 'Believe only the certificate authorities in this PEM file')
            [CompletionResult]::new('--cert', '--cert', [CompletionResultType]::ParameterName, 'Certificate to show to the broker, a PEM file')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Private key of the certificate, a PEM file without passphrase')
            [CompletionResult]::new('--tls-alpn', '--tls-alpn', [CompletionResultType]::ParameterName, 'Application protocol to name in the TLS handshake')
            [CompletionResult]::new('--alpn', '--alpn', [CompletionResultType]::ParameterName, 'Application protocol to name in the TLS handshake')
            [CompletionResult]::new('--access-key-id', '--access-key-id', [CompletionResultType]::ParameterName, 'Id of the access key, or of a device''s own')
            [CompletionResult]::new('--access-key-secret-file', '--access-key-secret-file', [CompletionResultType]::ParameterName, 'Read the secret of the access key from a file')
            [CompletionResult]::new('--access-key-token-file', '--access-key-token-file', [CompletionResultType]::ParameterName, 'Read the security token of a temporary access key from a file')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Listen where a broker tells it beside MQTT; may be given several times')
            [CompletionResult]::new('--listen-webhook', '--listen-webhook', [CompletionResultType]::ParameterName, 'Take in what brokers post to this address, as HOST:PORT or PORT')
            [CompletionResult]::new('--listen-webhook-secret-file', '--listen-webhook-secret-file', [CompletionResultType]::ParameterName, 'Take in only what comes with the secret in this file')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Where to begin in a queue of which nothing was read yet: `earliest`, `latest`, `2h`, or a moment')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'Leave out what is stored in queues then or later, and end with it, as RFC 3339 or ms since 1970')
            [CompletionResult]::new('--tags', '--tags', [CompletionResultType]::ParameterName, 'Read only messages with one of these tags; `*` stands for all')
            [CompletionResult]::new('--consumer-group', '--consumer-group', [CompletionResultType]::ParameterName, 'Name of the consumer group to ask as, where rights are given to groups')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Instance of the cloud whose topics and groups are meant, as in `MQ_INST_…`')
            [CompletionResult]::new('--sasl', '--sasl', [CompletionResultType]::ParameterName, 'How to say who we are [default: the strongest that the broker has]')
            [CompletionResult]::new('--api', '--api', [CompletionResultType]::ParameterName, 'API to ask who is connected, such as `emqx5+http://HOST`')
            [CompletionResult]::new('--api-user', '--api-user', [CompletionResultType]::ParameterName, 'User name, application id or access key to log in to the API with')
            [CompletionResult]::new('--api-password-file', '--api-password-file', [CompletionResultType]::ParameterName, 'Read the password, secret or secret key of the API from a file')
            [CompletionResult]::new('--api-token-file', '--api-token-file', [CompletionResultType]::ParameterName, 'Read the token of the API from a file')
            [CompletionResult]::new('--api-cafile', '--api-cafile', [CompletionResultType]::ParameterName, 'Believe only the certificate authorities in this PEM file, for APIs')
            [CompletionResult]::new('--dialect', '--dialect', [CompletionResultType]::ParameterName, 'Way of announcing clients to understand; may be given several times')
            [CompletionResult]::new('--dialect-file', '--dialect-file', [CompletionResultType]::ParameterName, 'File that describes a dialect of your own; may be given several times')
            [CompletionResult]::new('--topic', '--topic', [CompletionResultType]::ParameterName, 'Listen here instead of where the dialect says; may be given several times')
            [CompletionResult]::new('--status-topic', '--status-topic', [CompletionResultType]::ParameterName, 'Where devices keep their own status, with `{client}` in the place of the client id')
            [CompletionResult]::new('--status-online', '--status-online', [CompletionResultType]::ParameterName, 'Word that means online there; may be given several times')
            [CompletionResult]::new('--status-offline', '--status-offline', [CompletionResultType]::ParameterName, 'Word that means offline there; may be given several times')
            [CompletionResult]::new('--status-json', '--status-json', [CompletionResultType]::ParameterName, 'Where the word stands in a status that is JSON, as a JSON pointer such as `/state`')
            [CompletionResult]::new('--time-zone', '--time-zone', [CompletionResultType]::ParameterName, 'Zone of local times, such as `Europe/Berlin`, `UTC` or `+02:00`')
            [CompletionResult]::new('--skew', '--skew', [CompletionResultType]::ParameterName, 'Largest difference assumed between the clocks of two nodes of a broker')
            [CompletionResult]::new('--close-grace', '--close-grace', [CompletionResultType]::ParameterName, 'Wait for the transport to end after a client has said goodbye')
            [CompletionResult]::new('--future', '--future', [CompletionResultType]::ParameterName, 'How far ahead of our clock a stamp may be and still be believed')
            [CompletionResult]::new('--channels', '--channels', [CompletionResultType]::ParameterName, 'Channels remembered per client')
            [CompletionResult]::new('--loop', '--loop', [CompletionResultType]::ParameterName, 'Connects within a time that count as flapping, as COUNT/DURATION')
            [CompletionResult]::new('--anomalies', '--anomalies', [CompletionResultType]::ParameterName, 'Show only clients whose history is odd')
            [CompletionResult]::new('--messages', '--messages', [CompletionResultType]::ParameterName, 'Show every message of a queue too, before what it changes')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object a line')
            [CompletionResult]::new('--join', '--join', [CompletionResultType]::ParameterName, 'Read the queues of a topic that the other members of `--consumer-group` leave to us')
            [CompletionResult]::new('--metrics-public', '--metrics-public', [CompletionResultType]::ParameterName, 'Let other machines fetch the figures')
            [CompletionResult]::new('--clean', '--clean', [CompletionResultType]::ParameterName, 'Leave no session behind at the broker')
            [CompletionResult]::new('--print-config', '--print-config', [CompletionResultType]::ParameterName, 'Print every option with its value and where it comes from, and do nothing')
            [CompletionResult]::new('--password-stdin', '--password-stdin', [CompletionResultType]::ParameterName, 'Read the password from standard input')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Accept any certificate from whoever answers')
            [CompletionResult]::new('--may-take-messages', '--may-take-messages', [CompletionResultType]::ParameterName, 'Read queues from which each message goes to one reader only')
            [CompletionResult]::new('--api-insecure', '--api-insecure', [CompletionResultType]::ParameterName, 'Accept any certificate from the API')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'presence;check' {
            [CompletionResult]::new('--fleet', '--fleet', [CompletionResultType]::ParameterName, 'Read more client ids from a file; `-` is standard input')
            [CompletionResult]::new('--fleet-format', '--fleet-format', [CompletionResultType]::ParameterName, 'What that file is; without it, what its name ends in says')
            [CompletionResult]::new('--fleet-column', '--fleet-column', [CompletionResultType]::ParameterName, 'Column or member of it that holds the client id')
            [CompletionResult]::new('--match', '--match', [CompletionResultType]::ParameterName, 'Ask about the clients of the store whose ids match; may be given several times')
            [CompletionResult]::new('--reconcile', '--reconcile', [CompletionResultType]::ParameterName, 'Compare what the store says with what the broker lists, read from a file; `-` is standard input')
            [CompletionResult]::new('--evidence', '--evidence', [CompletionResultType]::ParameterName, 'Evidence to gather')
            [CompletionResult]::new('--probe', '--probe', [CompletionResultType]::ParameterName, 'Listen with the dialects that a probe recommends')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Longest time that gathering evidence or waiting may take [default: 5s, more where an API needs it, with --wait 2m]')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait until all of them are online, or all are offline')
            [CompletionResult]::new('--stable', '--stable', [CompletionResultType]::ParameterName, 'How long it must have been so without a break')
            [CompletionResult]::new('--max-offline', '--max-offline', [CompletionResultType]::ParameterName, 'So many may be not online, as a number or a share of all (`5%`)')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Take options from this profile of the configuration file')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'File, Redis or PostgreSQL that keeps what is known, or `memory` for none')
            [CompletionResult]::new('--store-password-file', '--store-password-file', [CompletionResultType]::ParameterName, 'Read the password for the Redis or the PostgreSQL from a file')
            [CompletionResult]::new('--store-cafile', '--store-cafile', [CompletionResultType]::ParameterName, 'Believe only these authorities about the Redis or the PostgreSQL, a PEM file')
            [CompletionResult]::new('-b', '-b', [CompletionResultType]::ParameterName, 'Where the broker listens')
            [CompletionResult]::new('--broker', '--broker', [CompletionResultType]::ParameterName, 'Where the broker listens')
            [CompletionResult]::new('--instance', '--instance', [CompletionResultType]::ParameterName, 'Name the broker goes by in stores and output')
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'User to connect as')
            [CompletionResult]::new('--username', '--username', [CompletionResultType]::ParameterName, 'User to connect as')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'Read the password from a file')
            [CompletionResult]::new('--auth', '--auth', [CompletionResultType]::ParameterName, 'What user name and password are made of')
            [CompletionResult]::new('--auth-token-file', '--auth-token-file', [CompletionResultType]::ParameterName, 'Read the tokens for `--auth aliyun-token` from a file')
            [CompletionResult]::new('--aliyun-instance', '--aliyun-instance', [CompletionResultType]::ParameterName, 'Id of the instance of Alibaba Cloud''s MQTT, as in post-cn-0pp12gl')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Client id to connect with')
            [CompletionResult]::new('--client-id', '--client-id', [CompletionResultType]::ParameterName, 'Client id to connect with')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Longest silence on the connection before it is probed')
            [CompletionResult]::new('--keepalive', '--keepalive', [CompletionResultType]::ParameterName, 'Longest silence on the connection before it is probed')
            [CompletionResult]::new('--mqtt-version', '--mqtt-version', [CompletionResultType]::ParameterName, 'Version of MQTT to speak')
            [CompletionResult]::new('--cafile', '--cafile', [CompletionResultType]::ParameterName, 'Believe only the certificate authorities in this PEM file')
            [CompletionResult]::new('--ca', '--ca', [CompletionResultType]::ParameterName, 'Believe only the certificate authorities in this PEM file')
            [CompletionResult]::new('--cert', '--cert', [CompletionResultType]::ParameterName, 'Certificate to show to the broker, a PEM file')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Private key of the certificate, a PEM file without passphrase')
            [CompletionResult]::new('--tls-alpn', '--tls-alpn', [CompletionResultType]::ParameterName, 'Application protocol to name in the TLS handshake')
            [CompletionResult]::new('--alpn', '--alpn', [CompletionResultType]::ParameterName, 'Application protocol to name in the TLS handshake')
            [CompletionResult]::new('--access-key-id', '--access-key-id', [CompletionResultType]::ParameterName, 'Id of the access key, or of a device''s own')
            [CompletionResult]::new('--access-key-secret-file', '--access-key-secret-file', [CompletionResultType]::ParameterName, 'Read the secret of the access key from a file')
            [CompletionResult]::new('--access-key-token-file', '--access-key-token-file', [CompletionResultType]::ParameterName, 'Read the security token of a temporary access key from a file')
            [CompletionResult]::new('--api', '--api', [CompletionResultType]::ParameterName, 'API to ask who is connected, such as `emqx5+http://HOST`')
            [CompletionResult]::new('--api-user', '--api-user', [CompletionResultType]::ParameterName, 'User name, application id or access key to log in to the API with')
            [CompletionResult]::new('--api-password-file', '--api-password-file', [CompletionResultType]::ParameterName, 'Read the password, secret or secret key of the API from a file')
            [CompletionResult]::new('--api-token-file', '--api-token-file', [CompletionResultType]::ParameterName, 'Read the token of the API from a file')
            [CompletionResult]::new('--api-cafile', '--api-cafile', [CompletionResultType]::ParameterName, 'Believe only the certificate authorities in this PEM file, for APIs')
            [CompletionResult]::new('--dialect', '--dialect', [CompletionResultType]::ParameterName, 'Way of announcing clients to understand; may be given several times')
            [CompletionResult]::new('--dialect-file', '--dialect-file', [CompletionResultType]::ParameterName, 'File that describes a dialect of your own; may be given several times')
            [CompletionResult]::new('--topic', '--topic', [CompletionResultType]::ParameterName, 'Listen here instead of where the dialect says; may be given several times')
            [CompletionResult]::new('--status-topic', '--status-topic', [CompletionResultType]::ParameterName, 'Where devices keep their own status, with `{client}` in the place of the client id')
            [CompletionResult]::new('--status-online', '--status-online', [CompletionResultType]::ParameterName, 'Word that means online there; may be given several times')
            [CompletionResult]::new('--status-offline', '--status-offline', [CompletionResultType]::ParameterName, 'Word that means offline there; may be given several times')
            [CompletionResult]::new('--status-json', '--status-json', [CompletionResultType]::ParameterName, 'Where the word stands in a status that is JSON, as a JSON pointer such as `/state`')
            [CompletionResult]::new('--time-zone', '--time-zone', [CompletionResultType]::ParameterName, 'Zone of local times, such as `Europe/Berlin`, `UTC` or `+02:00`')
            [CompletionResult]::new('--skew', '--skew', [CompletionResultType]::ParameterName, 'Largest difference assumed between the clocks of two nodes of a broker')
            [CompletionResult]::new('--close-grace', '--close-grace', [CompletionResultType]::ParameterName, 'Wait for the transport to end after a client has said goodbye')
            [CompletionResult]::new('--future', '--future', [CompletionResultType]::ParameterName, 'How far ahead of our clock a stamp may be and still be believed')
            [CompletionResult]::new('--channels', '--channels', [CompletionResultType]::ParameterName, 'Channels remembered per client')
            [CompletionResult]::new('--loop', '--loop', [CompletionResultType]::ParameterName, 'Connects within a time that count as flapping, as COUNT/DURATION')
            [CompletionResult]::new('--fresh', '--fresh', [CompletionResultType]::ParameterName, 'Ask every source, even where the store already knows')
            [CompletionResult]::new('--explain', '--explain', [CompletionResultType]::ParameterName, 'Show the evidence of every voice, and what decided')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object a line')
            [CompletionResult]::new('--nagios', '--nagios', [CompletionResultType]::ParameterName, 'Answer as a plugin of Nagios does, with performance data')
            [CompletionResult]::new('--print-config', '--print-config', [CompletionResultType]::ParameterName, 'Print every option with its value and where it comes from, and do nothing')
            [CompletionResult]::new('--password-stdin', '--password-stdin', [CompletionResultType]::ParameterName, 'Read the password from standard input')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Accept any certificate from whoever answers')
            [CompletionResult]::new('--api-insecure', '--api-insecure', [CompletionResultType]::ParameterName, 'Accept any certificate from the API')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'presence;probe' {
            [CompletionResult]::new('--id-prefix', '--id-prefix', [CompletionResultType]::ParameterName, 'What the ids of the clients begin with, where the broker or the account demands it')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Longest time that a step may take')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Take options from this profile of the configuration file')
            [CompletionResult]::new('-b', '-b', [CompletionResultType]::ParameterName, 'Where the broker listens')
            [CompletionResult]::new('--broker', '--broker', [CompletionResultType]::ParameterName, 'Where the broker listens')
            [CompletionResult]::new('--instance', '--instance', [CompletionResultType]::ParameterName, 'Name the broker goes by in stores and output')
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'User to connect as')
            [CompletionResult]::new('--username', '--username', [CompletionResultType]::ParameterName, 'User to connect as')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'Read the password from a file')
            [CompletionResult]::new('--auth', '--auth', [CompletionResultType]::ParameterName, 'What user name and password are made of')
            [CompletionResult]::new('--auth-token-file', '--auth-token-file', [CompletionResultType]::ParameterName, 'Read the tokens for `--auth aliyun-token` from a file')
            [CompletionResult]::new('--aliyun-instance', '--aliyun-instance', [CompletionResultType]::ParameterName, 'Id of the instance of Alibaba Cloud''s MQTT, as in post-cn-0pp12gl')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Client id to connect with')
            [CompletionResult]::new('--client-id', '--client-id', [CompletionResultType]::ParameterName, 'Client id to connect with')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Longest silence on the connection before it is probed')
            [CompletionResult]::new('--keepalive', '--keepalive', [CompletionResultType]::ParameterName, 'Longest silence on the connection before it is probed')
            [CompletionResult]::new('--mqtt-version', '--mqtt-version', [CompletionResultType]::ParameterName, 'Version of MQTT to speak')
            [CompletionResult]::new('--cafile', '--cafile', [CompletionResultType]::ParameterName, 'Believe only the certificate authorities in this PEM file')
            [CompletionResult]::new('--ca', '--ca', [CompletionResultType]::ParameterName, 'Believe only the certificate authorities in this PEM file')
            [CompletionResult]::new('--cert', '--cert', [CompletionResultType]::ParameterName, 'Certificate to show to the broker, a PEM file')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Private key of the certificate, a PEM file without passphrase')
            [CompletionResult]::new('--tls-alpn', '--tls-alpn', [CompletionResultType]::ParameterName, 'Application protocol to name in the TLS handshake')
            [CompletionResult]::new('--alpn', '--alpn', [CompletionResultType]::ParameterName, 'Application protocol to name in the TLS handshake')
            [CompletionResult]::new('--access-key-id', '--access-key-id', [CompletionResultType]::ParameterName, 'Id of the access key, or of a device''s own')
            [CompletionResult]::new('--access-key-secret-file', '--access-key-secret-file', [CompletionResultType]::ParameterName, 'Read the secret of the access key from a file')
            [CompletionResult]::new('--access-key-token-file', '--access-key-token-file', [CompletionResultType]::ParameterName, 'Read the security token of a temporary access key from a file')
            [CompletionResult]::new('--dialect', '--dialect', [CompletionResultType]::ParameterName, 'Way of announcing clients to try; may be given several times')
            [CompletionResult]::new('--dialect-file', '--dialect-file', [CompletionResultType]::ParameterName, 'File that describes a dialect of your own; may be given several times')
            [CompletionResult]::new('--status-topic', '--status-topic', [CompletionResultType]::ParameterName, 'Where the clients keep their status, with `{client}` in the place of the client id')
            [CompletionResult]::new('--no-silence', '--no-silence', [CompletionResultType]::ParameterName, 'Leave out the clients that fall silent, which take the longest')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object')
            [CompletionResult]::new('--print-config', '--print-config', [CompletionResultType]::ParameterName, 'Print every option with its value and where it comes from, and do nothing')
            [CompletionResult]::new('--password-stdin', '--password-stdin', [CompletionResultType]::ParameterName, 'Read the password from standard input')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Accept any certificate from whoever answers')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'presence;demo' {
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'presence;broker' {
            [CompletionResult]::new('--listen', '--listen', [CompletionResultType]::ParameterName, 'Address to listen on; may be given several times')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'Let in only users in this file, lines `user:password`')
            [CompletionResult]::new('--notice-topic', '--notice-topic', [CompletionResultType]::ParameterName, 'Topic of the notices; `{client}` stands for the client id')
            [CompletionResult]::new('--rocketmq', '--rocketmq', [CompletionResultType]::ParameterName, 'Send each notice to a topic of RocketMQ too, as Alibaba''s MQTT service does')
            [CompletionResult]::new('--connections-max', '--connections-max', [CompletionResultType]::ParameterName, 'Clients that may be connected at the same time')
            [CompletionResult]::new('--fault', '--fault', [CompletionResultType]::ParameterName, 'Make the notices lie; may be given several times')
            [CompletionResult]::new('--fault-seed', '--fault-seed', [CompletionResultType]::ParameterName, 'Seed of the chance in `--fault drop-notice`')
            [CompletionResult]::new('--access-key-id', '--access-key-id', [CompletionResultType]::ParameterName, 'Id of the access key, or of a device''s own')
            [CompletionResult]::new('--access-key-secret-file', '--access-key-secret-file', [CompletionResultType]::ParameterName, 'Read the secret of the access key from a file')
            [CompletionResult]::new('--access-key-token-file', '--access-key-token-file', [CompletionResultType]::ParameterName, 'Read the security token of a temporary access key from a file')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'presence;store' {
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('info', 'info', [CompletionResultType]::ParameterValue, 'Shows which brokers a store knows, who listened, and until when')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Joins files into a store: exports, recordings, notices, broker logs')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Prints all that a store knows as JSON Lines, for `store import` and `replay`')
            [CompletionResult]::new('compact', 'compact', [CompletionResultType]::ParameterValue, 'Gives space that is no longer used back to the disk')
            [CompletionResult]::new('forget-session', 'forget-session', [CompletionResultType]::ParameterValue, 'Removes the watcher''s session from the broker')
            [CompletionResult]::new('forget-queues', 'forget-queues', [CompletionResultType]::ParameterValue, 'Forgets how far the queues of a source were read')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'presence;store;info' {
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Take options from this profile of the configuration file')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'File, Redis or PostgreSQL that keeps what is known, or `memory` for none')
            [CompletionResult]::new('--store-password-file', '--store-password-file', [CompletionResultType]::ParameterName, 'Read the password for the Redis or the PostgreSQL from a file')
            [CompletionResult]::new('--store-cafile', '--store-cafile', [CompletionResultType]::ParameterName, 'Believe only these authorities about the Redis or the PostgreSQL, a PEM file')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object a line')
            [CompletionResult]::new('--print-config', '--print-config', [CompletionResultType]::ParameterName, 'Print every option with its value and where it comes from, and do nothing')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'presence;store;import' {
            [CompletionResult]::new('--instance', '--instance', [CompletionResultType]::ParameterName, 'Name of the broker that plain logs are about')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Take options from this profile of the configuration file')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'File, Redis or PostgreSQL that keeps what is known, or `memory` for none')
            [CompletionResult]::new('--store-password-file', '--store-password-file', [CompletionResultType]::ParameterName, 'Read the password for the Redis or the PostgreSQL from a file')
            [CompletionResult]::new('--store-cafile', '--store-cafile', [CompletionResultType]::ParameterName, 'Believe only these authorities about the Redis or the PostgreSQL, a PEM file')
            [CompletionResult]::new('--dialect', '--dialect', [CompletionResultType]::ParameterName, 'Way of announcing clients to understand; may be given several times')
            [CompletionResult]::new('--dialect-file', '--dialect-file', [CompletionResultType]::ParameterName, 'File that describes a dialect of your own; may be given several times')
            [CompletionResult]::new('--topic', '--topic', [CompletionResultType]::ParameterName, 'Listen here instead of where the dialect says; may be given several times')
            [CompletionResult]::new('--status-topic', '--status-topic', [CompletionResultType]::ParameterName, 'Where devices keep their own status, with `{client}` in the place of the client id')
            [CompletionResult]::new('--status-online', '--status-online', [CompletionResultType]::ParameterName, 'Word that means online there; may be given several times')
            [CompletionResult]::new('--status-offline', '--status-offline', [CompletionResultType]::ParameterName, 'Word that means offline there; may be given several times')
            [CompletionResult]::new('--status-json', '--status-json', [CompletionResultType]::ParameterName, 'Where the word stands in a status that is JSON, as a JSON pointer such as `/state`')
            [CompletionResult]::new('--time-zone', '--time-zone', [CompletionResultType]::ParameterName, 'Zone of local times, such as `Europe/Berlin`, `UTC` or `+02:00`')
            [CompletionResult]::new('--csv-map', '--csv-map', [CompletionResultType]::ParameterName, 'Column of a CSV file that holds a part of the notices, such as `client=Device`')
            [CompletionResult]::new('--csv-event', '--csv-event', [CompletionResultType]::ParameterName, 'Word in a CSV file that stands for a type of event, such as `tcpclean=close`')
            [CompletionResult]::new('--threads', '--threads', [CompletionResultType]::ParameterName, 'Threads that read notices at the same time')
            [CompletionResult]::new('--skew', '--skew', [CompletionResultType]::ParameterName, 'Largest difference assumed between the clocks of two nodes of a broker')
            [CompletionResult]::new('--close-grace', '--close-grace', [CompletionResultType]::ParameterName, 'Wait for the transport to end after a client has said goodbye')
            [CompletionResult]::new('--future', '--future', [CompletionResultType]::ParameterName, 'How far ahead of our clock a stamp may be and still be believed')
            [CompletionResult]::new('--channels', '--channels', [CompletionResultType]::ParameterName, 'Channels remembered per client')
            [CompletionResult]::new('--loop', '--loop', [CompletionResultType]::ParameterName, 'Connects within a time that count as flapping, as COUNT/DURATION')
            [CompletionResult]::new('--strict', '--strict', [CompletionResultType]::ParameterName, 'Fail on the first line that cannot be read, and import nothing')
            [CompletionResult]::new('--print-config', '--print-config', [CompletionResultType]::ParameterName, 'Print every option with its value and where it comes from, and do nothing')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'presence;store;export' {
            [CompletionResult]::new('--instance', '--instance', [CompletionResultType]::ParameterName, 'Only this broker')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Take options from this profile of the configuration file')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'File, Redis or PostgreSQL that keeps what is known, or `memory` for none')
            [CompletionResult]::new('--store-password-file', '--store-password-file', [CompletionResultType]::ParameterName, 'Read the password for the Redis or the PostgreSQL from a file')
            [CompletionResult]::new('--store-cafile', '--store-cafile', [CompletionResultType]::ParameterName, 'Believe only these authorities about the Redis or the PostgreSQL, a PEM file')
            [CompletionResult]::new('--print-config', '--print-config', [CompletionResultType]::ParameterName, 'Print every option with its value and where it comes from, and do nothing')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'presence;store;compact' {
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Take options from this profile of the configuration file')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'File, Redis or PostgreSQL that keeps what is known, or `memory` for none')
            [CompletionResult]::new('--store-password-file', '--store-password-file', [CompletionResultType]::ParameterName, 'Read the password for the Redis or the PostgreSQL from a file')
            [CompletionResult]::new('--store-cafile', '--store-cafile', [CompletionResultType]::ParameterName, 'Believe only these authorities about the Redis or the PostgreSQL, a PEM file')
            [CompletionResult]::new('--print-config', '--print-config', [CompletionResultType]::ParameterName, 'Print every option with its value and where it comes from, and do nothing')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'presence;store;forget-session' {
            [CompletionResult]::new('--member', '--member', [CompletionResultType]::ParameterName, 'Remove a dead member of a shared group, by its client id')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Take options from this profile of the configuration file')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'File, Redis or PostgreSQL that keeps what is known, or `memory` for none')
            [CompletionResult]::new('--store-password-file', '--store-password-file', [CompletionResultType]::ParameterName, 'Read the password for the Redis or the PostgreSQL from a file')
            [CompletionResult]::new('--store-cafile', '--store-cafile', [CompletionResultType]::ParameterName, 'Believe only these authorities about the Redis or the PostgreSQL, a PEM file')
            [CompletionResult]::new('-b', '-b', [CompletionResultType]::ParameterName, 'Where the broker listens')
            [CompletionResult]::new('--broker', '--broker', [CompletionResultType]::ParameterName, 'Where the broker listens')
            [CompletionResult]::new('--instance', '--instance', [CompletionResultType]::ParameterName, 'Name the broker goes by in stores and output')
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'User to connect as')
            [CompletionResult]::new('--username', '--username', [CompletionResultType]::ParameterName, 'User to connect as')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'Read the password from a file')
            [CompletionResult]::new('--auth', '--auth', [CompletionResultType]::ParameterName, 'What user name and password are made of')
            [CompletionResult]::new('--auth-token-file', '--auth-token-file', [CompletionResultType]::ParameterName, 'Read the tokens for `--auth aliyun-token` from a file')
            [CompletionResult]::new('--aliyun-instance', '--aliyun-instance', [CompletionResultType]::ParameterName, 'Id of the instance of Alibaba Cloud''s MQTT, as in post-cn-0pp12gl')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Client id to connect with')
            [CompletionResult]::new('--client-id', '--client-id', [CompletionResultType]::ParameterName, 'Client id to connect with')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Longest silence on the connection before it is probed')
            [CompletionResult]::new('--keepalive', '--keepalive', [CompletionResultType]::ParameterName, 'Longest silence on the connection before it is probed')
            [CompletionResult]::new('--mqtt-version', '--mqtt-version', [CompletionResultType]::ParameterName, 'Version of MQTT to speak')
            [CompletionResult]::new('--cafile', '--cafile', [CompletionResultType]::ParameterName, 'Believe only the certificate authorities in this PEM file')
            [CompletionResult]::new('--ca', '--ca', [CompletionResultType]::ParameterName, 'Believe only the certificate authorities in this PEM file')
            [CompletionResult]::new('--cert', '--cert', [CompletionResultType]::ParameterName, 'Certificate to show to the broker, a PEM file')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Private key of the certificate, a PEM file without passphrase')
            [CompletionResult]::new('--tls-alpn', '--tls-alpn', [CompletionResultType]::ParameterName, 'Application protocol to name in the TLS handshake')
            [CompletionResult]::new('--alpn', '--alpn', [CompletionResultType]::ParameterName, 'Application protocol to name in the TLS handshake')
            [CompletionResult]::new('--access-key-id', '--access-key-id', [CompletionResultType]::ParameterName, 'Id of the access key, or of a device''s own')
            [CompletionResult]::new('--access-key-secret-file', '--access-key-secret-file', [CompletionResultType]::ParameterName, 'Read the secret of the access key from a file')
            [CompletionResult]::new('--access-key-token-file', '--access-key-token-file', [CompletionResultType]::ParameterName, 'Read the security token of a temporary access key from a file')
            [CompletionResult]::new('--print-config', '--print-config', [CompletionResultType]::ParameterName, 'Print every option with its value and where it comes from, and do nothing')
            [CompletionResult]::new('--password-stdin', '--password-stdin', [CompletionResultType]::ParameterName, 'Read the password from standard input')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Accept any certificate from whoever answers')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'presence;store;forget-queues' {
            [CompletionResult]::new('--instance', '--instance', [CompletionResultType]::ParameterName, 'Name of the source, as `store info` shows it')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Take options from this profile of the configuration file')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'File, Redis or PostgreSQL that keeps what is known, or `memory` for none')
            [CompletionResult]::new('--store-password-file', '--store-password-file', [CompletionResultType]::ParameterName, 'Read the password for the Redis or the PostgreSQL from a file')
            [CompletionResult]::new('--store-cafile', '--store-cafile', [CompletionResultType]::ParameterName, 'Believe only these authorities about the Redis or the PostgreSQL, a PEM file')
            [CompletionResult]::new('--print-config', '--print-config', [CompletionResultType]::ParameterName, 'Print every option with its value and where it comes from, and do nothing')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'presence;store;help' {
            [CompletionResult]::new('info', 'info', [CompletionResultType]::ParameterValue, 'Shows which brokers a store knows, who listened, and until when')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Joins files into a store: exports, recordings, notices, broker logs')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Prints all that a store knows as JSON Lines, for `store import` and `replay`')
            [CompletionResult]::new('compact', 'compact', [CompletionResultType]::ParameterValue, 'Gives space that is no longer used back to the disk')
            [CompletionResult]::new('forget-session', 'forget-session', [CompletionResultType]::ParameterValue, 'Removes the watcher''s session from the broker')
            [CompletionResult]::new('forget-queues', 'forget-queues', [CompletionResultType]::ParameterValue, 'Forgets how far the queues of a source were read')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'presence;store;help;info' {
            break
        }
        'presence;store;help;import' {
            break
        }
        'presence;store;help;export' {
            break
        }
        'presence;store;help;compact' {
            break
        }
        'presence;store;help;forget-session' {
            break
        }
        'presence;store;help;forget-queues' {
            break
        }
        'presence;store;help;help' {
            break
        }
        'presence;dialects' {
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object a dialect')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('test', 'test', [CompletionResultType]::ParameterValue, 'Tells what a dialect of your own makes of a sample, message by message')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'presence;dialects;test' {
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object a line')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'presence;dialects;help' {
            [CompletionResult]::new('test', 'test', [CompletionResultType]::ParameterValue, 'Tells what a dialect of your own makes of a sample, message by message')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'presence;dialects;help;test' {
            break
        }
        'presence;dialects;help;help' {
            break
        }
        'presence;completions' {
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'presence;simulate' {
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'How many devices [default: 100, or as the scenario says]')
            [CompletionResult]::new('--rate', '--rate', [CompletionResultType]::ParameterName, 'Devices that come, and later go, per second [default: 1000]')
            [CompletionResult]::new('--ramp', '--ramp', [CompletionResultType]::ParameterName, 'Time within which all devices come, instead of a rate')
            [CompletionResult]::new('--duration', '--duration', [CompletionResultType]::ParameterName, 'How long the whole run takes [default: 20s, or more if the devices need it to come]')
            [CompletionResult]::new('--scenario', '--scenario', [CompletionResultType]::ParameterName, 'Let devices do what a scenario says: a file, or the name of a preset')
            [CompletionResult]::new('--deaths', '--deaths', [CompletionResultType]::ParameterName, 'How devices die, in shares that add up to 100 [default: disconnect=100]')
            [CompletionResult]::new('--nat-drop', '--nat-drop', [CompletionResultType]::ParameterName, 'Let a router forget devices this long after they connected')
            [CompletionResult]::new('--storm', '--storm', [CompletionResultType]::ParameterName, 'Reset a share of the devices at one moment, and let them return at once')
            [CompletionResult]::new('--lives', '--lives', [CompletionResultType]::ParameterName, 'How often each device lives [default: 1, or 2 with --return-after]')
            [CompletionResult]::new('--return-after', '--return-after', [CompletionResultType]::ParameterName, 'Time between a death and the next life of a device [default: 2s]')
            [CompletionResult]::new('--seed', '--seed', [CompletionResultType]::ParameterName, 'Number that decides whom a death hits [default: a random one, which is shown]')
            [CompletionResult]::new('--shard', '--shard', [CompletionResultType]::ParameterName, 'Carry out only a part of the plan, on one of several machines')
            [CompletionResult]::new('--run', '--run', [CompletionResultType]::ParameterName, 'Mark of this run, `{run}` in templates [default: 6 random hexadecimal digits]')
            [CompletionResult]::new('--credentials', '--credentials', [CompletionResultType]::ParameterName, 'Read user and password of each device from a CSV file')
            [CompletionResult]::new('--session-expiry', '--session-expiry', [CompletionResultType]::ParameterName, 'How long a kept session outlives its connection, MQTT 5 only [default: 1h]')
            [CompletionResult]::new('--keepalive-profile', '--keepalive-profile', [CompletionResultType]::ParameterName, 'Whose way of keeping a connection alive devices have')
            [CompletionResult]::new('--reconnect', '--reconnect', [CompletionResultType]::ParameterName, 'Let devices that were lost connect again, after this time or 1s')
            [CompletionResult]::new('--will-topic', '--will-topic', [CompletionResultType]::ParameterName, 'Topic on which the broker announces a death')
            [CompletionResult]::new('--will-payload', '--will-payload', [CompletionResultType]::ParameterName, 'What the broker announces')
            [CompletionResult]::new('--will-message', '--will-message', [CompletionResultType]::ParameterName, 'What the broker announces')
            [CompletionResult]::new('--will-qos', '--will-qos', [CompletionResultType]::ParameterName, 'QoS of the will')
            [CompletionResult]::new('--will-retain', '--will-retain', [CompletionResultType]::ParameterName, 'Let the broker keep the will for those who subscribe later; `false` for not')
            [CompletionResult]::new('--will-delay', '--will-delay', [CompletionResultType]::ParameterName, 'How long the broker waits for a return before it announces the death, MQTT 5 only')
            [CompletionResult]::new('--birth-topic', '--birth-topic', [CompletionResultType]::ParameterName, 'Topic on which a device says that it is there')
            [CompletionResult]::new('--birth-payload', '--birth-payload', [CompletionResultType]::ParameterName, 'What a device says when it is there')
            [CompletionResult]::new('--birth-qos', '--birth-qos', [CompletionResultType]::ParameterName, 'QoS of the birth message')
            [CompletionResult]::new('--birth-retain', '--birth-retain', [CompletionResultType]::ParameterName, 'Let the broker keep the birth message; `false` for not')
            [CompletionResult]::new('--publish-every', '--publish-every', [CompletionResultType]::ParameterName, 'Let each device publish at this interval')
            [CompletionResult]::new('--publish-topic', '--publish-topic', [CompletionResultType]::ParameterName, 'Topic that devices publish to')
            [CompletionResult]::new('--payload', '--payload', [CompletionResultType]::ParameterName, 'What devices publish')
            [CompletionResult]::new('--message', '--message', [CompletionResultType]::ParameterName, 'What devices publish')
            [CompletionResult]::new('--payload-size', '--payload-size', [CompletionResultType]::ParameterName, 'Publish this many bytes instead of a text')
            [CompletionResult]::new('--qos', '--qos', [CompletionResultType]::ParameterName, 'QoS of what devices publish and subscribe to')
            [CompletionResult]::new('--subscribe', '--subscribe', [CompletionResultType]::ParameterName, 'Let each device subscribe to this; may be given several times')
            [CompletionResult]::new('--expect-window', '--expect-window', [CompletionResultType]::ParameterName, 'When a silence has to be noticed: the name of a broker, or a range [default: by what the broker says it is]')
            [CompletionResult]::new('--probe', '--probe', [CompletionResultType]::ParameterName, 'Go by what a probe has found: which evidence there is, and when silence is noticed')
            [CompletionResult]::new('--dialect', '--dialect', [CompletionResultType]::ParameterName, 'Evidence to listen for; may be given several times')
            [CompletionResult]::new('--dialect-file', '--dialect-file', [CompletionResultType]::ParameterName, 'File that describes a dialect of your own; may be given several times')
            [CompletionResult]::new('--verify-username', '--verify-username', [CompletionResultType]::ParameterName, 'User to listen as [default: --username]')
            [CompletionResult]::new('--verify-password-file', '--verify-password-file', [CompletionResultType]::ParameterName, 'Read the password to listen with from this file')
            [CompletionResult]::new('--lag-max', '--lag-max', [CompletionResultType]::ParameterName, 'Longest hold-up of this process with which its figures are trusted')
            [CompletionResult]::new('--report', '--report', [CompletionResultType]::ParameterName, 'Write the report into this file as well, as a web page')
            [CompletionResult]::new('--compare', '--compare', [CompletionResultType]::ParameterName, 'Compare with an earlier run, as `simulate --json` printed it')
            [CompletionResult]::new('--bind-address', '--bind-address', [CompletionResultType]::ParameterName, 'Connect from this address of the machine; may be given several times')
            [CompletionResult]::new('--source-ip', '--source-ip', [CompletionResultType]::ParameterName, 'Connect from this address of the machine; may be given several times')
            [CompletionResult]::new('--in-flight', '--in-flight', [CompletionResultType]::ParameterName, 'Connections that are being made at the same time, at most')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Longest time that a connection may take')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Take options from this profile of the configuration file')
            [CompletionResult]::new('-b', '-b', [CompletionResultType]::ParameterName, 'Where the broker listens')
            [CompletionResult]::new('--broker', '--broker', [CompletionResultType]::ParameterName, 'Where the broker listens')
            [CompletionResult]::new('--instance', '--instance', [CompletionResultType]::ParameterName, 'Name the broker goes by in stores and output')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'Read the password from a file')
            [CompletionResult]::new('--auth', '--auth', [CompletionResultType]::ParameterName, 'What user name and password are made of')
            [CompletionResult]::new('--auth-token-file', '--auth-token-file', [CompletionResultType]::ParameterName, 'Read the tokens for `--auth aliyun-token` from a file')
            [CompletionResult]::new('--aliyun-instance', '--aliyun-instance', [CompletionResultType]::ParameterName, 'Id of the instance of Alibaba Cloud''s MQTT, as in post-cn-0pp12gl')
            [CompletionResult]::new('--mqtt-version', '--mqtt-version', [CompletionResultType]::ParameterName, 'Version of MQTT to speak')
            [CompletionResult]::new('--cafile', '--cafile', [CompletionResultType]::ParameterName, 'Believe only the certificate authorities in this PEM file')
            [CompletionResult]::new('--ca', '--ca', [CompletionResultType]::ParameterName, 'Believe only the certificate authorities in this PEM file')
            [CompletionResult]::new('--cert', '--cert', [CompletionResultType]::ParameterName, 'Certificate to show to the broker, a PEM file')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Private key of the certificate, a PEM file without passphrase')
            [CompletionResult]::new('--tls-alpn', '--tls-alpn', [CompletionResultType]::ParameterName, 'Application protocol to name in the TLS handshake')
            [CompletionResult]::new('--alpn', '--alpn', [CompletionResultType]::ParameterName, 'Application protocol to name in the TLS handshake')
            [CompletionResult]::new('--access-key-id', '--access-key-id', [CompletionResultType]::ParameterName, 'Id of the access key, or of a device''s own')
            [CompletionResult]::new('--access-key-secret-file', '--access-key-secret-file', [CompletionResultType]::ParameterName, 'Read the secret of the access key from a file')
            [CompletionResult]::new('--access-key-token-file', '--access-key-token-file', [CompletionResultType]::ParameterName, 'Read the security token of a temporary access key from a file')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Client ids of the devices, a template [default: sim-{run}-{n}]')
            [CompletionResult]::new('--client-id', '--client-id', [CompletionResultType]::ParameterName, 'Client ids of the devices, a template [default: sim-{run}-{n}]')
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'User to connect as, a template like the password')
            [CompletionResult]::new('--username', '--username', [CompletionResultType]::ParameterName, 'User to connect as, a template like the password')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Longest silence of a device [default: 5s]')
            [CompletionResult]::new('--keepalive', '--keepalive', [CompletionResultType]::ParameterName, 'Longest silence of a device [default: 5s]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object')
            [CompletionResult]::new('--plan', '--plan', [CompletionResultType]::ParameterName, 'Print who would live when, and connect to nothing')
            [CompletionResult]::new('--ids-are-mine', '--ids-are-mine', [CompletionResultType]::ParameterName, 'Allow client ids without the mark of the run')
            [CompletionResult]::new('--persistent', '--persistent', [CompletionResultType]::ParameterName, 'Ask the broker to keep a session for each device')
            [CompletionResult]::new('--no-read', '--no-read', [CompletionResultType]::ParameterName, 'Let devices read nothing after CONNACK')
            [CompletionResult]::new('--no-will', '--no-will', [CompletionResultType]::ParameterName, 'Leave no will with the broker')
            [CompletionResult]::new('--no-birth', '--no-birth', [CompletionResultType]::ParameterName, 'Say nothing when a device is there')
            [CompletionResult]::new('--verify', '--verify', [CompletionResultType]::ParameterName, 'Match every life and death to what the broker says of it, and tell how late')
            [CompletionResult]::new('--yes-load', '--yes-load', [CompletionResultType]::ParameterName, 'Put load on a broker that is neither on this machine nor in a private network')
            [CompletionResult]::new('--print-config', '--print-config', [CompletionResultType]::ParameterName, 'Print every option with its value and where it comes from, and do nothing')
            [CompletionResult]::new('--password-stdin', '--password-stdin', [CompletionResultType]::ParameterName, 'Read the password from standard input')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Accept any certificate from whoever answers')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('merge', 'merge', [CompletionResultType]::ParameterValue, 'Joins the reports of the shards of one run')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'presence;simulate;merge' {
            [CompletionResult]::new('--report', '--report', [CompletionResultType]::ParameterName, 'Write the report into this file as well, as a web page')
            [CompletionResult]::new('--compare', '--compare', [CompletionResultType]::ParameterName, 'Compare with an earlier run, as `simulate --json` printed it')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object a line')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'presence;simulate;help' {
            [CompletionResult]::new('merge', 'merge', [CompletionResultType]::ParameterValue, 'Joins the reports of the shards of one run')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'presence;simulate;help;merge' {
            break
        }
        'presence;simulate;help;help' {
            break
        }
        'presence;replay' {
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Read a topic of RocketMQ or Kafka too, to the end that it has; may be given several times')
            [CompletionResult]::new('--client', '--client', [CompletionResultType]::ParameterName, 'Show only clients whose id matches; may be given several times')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Moment to judge at, as RFC 3339 or milliseconds since 1970')
            [CompletionResult]::new('--now', '--now', [CompletionResultType]::ParameterName, 'What to take for the present when a plain log is read, as RFC 3339 or ms since 1970')
            [CompletionResult]::new('--timeline', '--timeline', [CompletionResultType]::ParameterName, 'Print when a client was online, when it was not, and when nobody knows')
            [CompletionResult]::new('--what-if', '--what-if', [CompletionResultType]::ParameterName, 'Print where, and for how long, other rules would have been wrong about the same events')
            [CompletionResult]::new('--worst', '--worst', [CompletionResultType]::ParameterName, 'Rows of a table that begins with the worst; JSON has them all')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Leave out what was before, as RFC 3339 or milliseconds since 1970')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'Leave out what was then or later, as RFC 3339 or milliseconds since 1970')
            [CompletionResult]::new('--report', '--report', [CompletionResultType]::ParameterName, 'Write a page about all that was read into this file as well')
            [CompletionResult]::new('--redact', '--redact', [CompletionResultType]::ParameterName, 'Put pseudonyms in the place of ids and addresses, by the key in this file')
            [CompletionResult]::new('--expect', '--expect', [CompletionResultType]::ParameterName, 'Compare the answer with a file, print how it differs, and end with 1 if it does')
            [CompletionResult]::new('--group', '--group', [CompletionResultType]::ParameterName, 'Show only clients whose group matches; may be given several times')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Take options from this profile of the configuration file')
            [CompletionResult]::new('--dialect', '--dialect', [CompletionResultType]::ParameterName, 'Way of announcing clients to understand; may be given several times')
            [CompletionResult]::new('--dialect-file', '--dialect-file', [CompletionResultType]::ParameterName, 'File that describes a dialect of your own; may be given several times')
            [CompletionResult]::new('--topic', '--topic', [CompletionResultType]::ParameterName, 'Listen here instead of where the dialect says; may be given several times')
            [CompletionResult]::new('--status-topic', '--status-topic', [CompletionResultType]::ParameterName, 'Where devices keep their own status, with `{client}` in the place of the client id')
            [CompletionResult]::new('--status-online', '--status-online', [CompletionResultType]::ParameterName, 'Word that means online there; may be given several times')
            [CompletionResult]::new('--status-offline', '--status-offline', [CompletionResultType]::ParameterName, 'Word that means offline there; may be given several times')
            [CompletionResult]::new('--status-json', '--status-json', [CompletionResultType]::ParameterName, 'Where the word stands in a status that is JSON, as a JSON pointer such as `/state`')
            [CompletionResult]::new('--time-zone', '--time-zone', [CompletionResultType]::ParameterName, 'Zone of local times, such as `Europe/Berlin`, `UTC` or `+02:00`')
            [CompletionResult]::new('--csv-map', '--csv-map', [CompletionResultType]::ParameterName, 'Column of a CSV file that holds a part of the notices, such as `client=Device`')
            [CompletionResult]::new('--csv-event', '--csv-event', [CompletionResultType]::ParameterName, 'Word in a CSV file that stands for a type of event, such as `tcpclean=close`')
            [CompletionResult]::new('--threads', '--threads', [CompletionResultType]::ParameterName, 'Threads that read notices at the same time')
            [CompletionResult]::new('--skew', '--skew', [CompletionResultType]::ParameterName, 'Largest difference assumed between the clocks of two nodes of a broker')
            [CompletionResult]::new('--close-grace', '--close-grace', [CompletionResultType]::ParameterName, 'Wait for the transport to end after a client has said goodbye')
            [CompletionResult]::new('--future', '--future', [CompletionResultType]::ParameterName, 'How far ahead of our clock a stamp may be and still be believed')
            [CompletionResult]::new('--channels', '--channels', [CompletionResultType]::ParameterName, 'Channels remembered per client')
            [CompletionResult]::new('--loop', '--loop', [CompletionResultType]::ParameterName, 'Connects within a time that count as flapping, as COUNT/DURATION')
            [CompletionResult]::new('--shuffle', '--shuffle', [CompletionResultType]::ParameterName, 'Let every message come up to so much later, so that some overtake others')
            [CompletionResult]::new('--dup', '--dup', [CompletionResultType]::ParameterName, 'Deliver this share of the messages twice, as in `5%`')
            [CompletionResult]::new('--drop', '--drop', [CompletionResultType]::ParameterName, 'Leave this share of the messages out, as in `1%`')
            [CompletionResult]::new('--seed', '--seed', [CompletionResultType]::ParameterName, 'Seed of the disorder; drawn at random without it, and told')
            [CompletionResult]::new('--tags', '--tags', [CompletionResultType]::ParameterName, 'Read only messages with one of these tags; `*` stands for all')
            [CompletionResult]::new('--consumer-group', '--consumer-group', [CompletionResultType]::ParameterName, 'Name of the consumer group to ask as, where rights are given to groups')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Instance of the cloud whose topics and groups are meant, as in `MQ_INST_…`')
            [CompletionResult]::new('--sasl', '--sasl', [CompletionResultType]::ParameterName, 'How to say who we are [default: the strongest that the broker has]')
            [CompletionResult]::new('--speed', '--speed', [CompletionResultType]::ParameterName, 'How fast, as a factor such as `1x`, `10x` or `0.5x`, or `max`')
            [CompletionResult]::new('--gap-max', '--gap-max', [CompletionResultType]::ParameterName, 'Cut pauses of the log that are longer down to this')
            [CompletionResult]::new('--topic-prefix', '--topic-prefix', [CompletionResultType]::ParameterName, 'What stands before every topic')
            [CompletionResult]::new('--publish-topic', '--publish-topic', [CompletionResultType]::ParameterName, 'Topic of the messages, a template, below the prefix')
            [CompletionResult]::new('--qos', '--qos', [CompletionResultType]::ParameterName, 'QoS of the messages [default: that of the recording, 1 for plain files]')
            [CompletionResult]::new('--repeat', '--repeat', [CompletionResultType]::ParameterName, 'How often to send all of it; `0` until Ctrl-C')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up if the first connection, or the last acknowledgement, takes longer')
            [CompletionResult]::new('-b', '-b', [CompletionResultType]::ParameterName, 'Where the broker listens')
            [CompletionResult]::new('--broker', '--broker', [CompletionResultType]::ParameterName, 'Where the broker listens')
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'User to connect as')
            [CompletionResult]::new('--username', '--username', [CompletionResultType]::ParameterName, 'User to connect as')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'Read the password from a file')
            [CompletionResult]::new('--auth', '--auth', [CompletionResultType]::ParameterName, 'What user name and password are made of')
            [CompletionResult]::new('--auth-token-file', '--auth-token-file', [CompletionResultType]::ParameterName, 'Read the tokens for `--auth aliyun-token` from a file')
            [CompletionResult]::new('--aliyun-instance', '--aliyun-instance', [CompletionResultType]::ParameterName, 'Id of the instance of Alibaba Cloud''s MQTT, as in post-cn-0pp12gl')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Client id to connect with')
            [CompletionResult]::new('--client-id', '--client-id', [CompletionResultType]::ParameterName, 'Client id to connect with')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Longest silence on the connection before it is probed')
            [CompletionResult]::new('--keepalive', '--keepalive', [CompletionResultType]::ParameterName, 'Longest silence on the connection before it is probed')
            [CompletionResult]::new('--mqtt-version', '--mqtt-version', [CompletionResultType]::ParameterName, 'Version of MQTT to speak')
            [CompletionResult]::new('--cafile', '--cafile', [CompletionResultType]::ParameterName, 'Believe only the certificate authorities in this PEM file')
            [CompletionResult]::new('--ca', '--ca', [CompletionResultType]::ParameterName, 'Believe only the certificate authorities in this PEM file')
            [CompletionResult]::new('--cert', '--cert', [CompletionResultType]::ParameterName, 'Certificate to show to the broker, a PEM file')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Private key of the certificate, a PEM file without passphrase')
            [CompletionResult]::new('--tls-alpn', '--tls-alpn', [CompletionResultType]::ParameterName, 'Application protocol to name in the TLS handshake')
            [CompletionResult]::new('--alpn', '--alpn', [CompletionResultType]::ParameterName, 'Application protocol to name in the TLS handshake')
            [CompletionResult]::new('--access-key-id', '--access-key-id', [CompletionResultType]::ParameterName, 'Id of the access key, or of a device''s own')
            [CompletionResult]::new('--access-key-secret-file', '--access-key-secret-file', [CompletionResultType]::ParameterName, 'Read the secret of the access key from a file')
            [CompletionResult]::new('--access-key-token-file', '--access-key-token-file', [CompletionResultType]::ParameterName, 'Read the security token of a temporary access key from a file')
            [CompletionResult]::new('--instance', '--instance', [CompletionResultType]::ParameterName, 'Name of the broker that plain logs are about')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object a line')
            [CompletionResult]::new('--strict', '--strict', [CompletionResultType]::ParameterName, 'Fail on the first line that cannot be read')
            [CompletionResult]::new('--follow', '--follow', [CompletionResultType]::ParameterName, 'Go on reading as the last file grows, and show changes as they come')
            [CompletionResult]::new('--changes', '--changes', [CompletionResultType]::ParameterName, 'Print every change of verdict, as it could be known then')
            [CompletionResult]::new('--uptime', '--uptime', [CompletionResultType]::ParameterName, 'Print for how long clients were online, and how often that ended')
            [CompletionResult]::new('--concurrency', '--concurrency', [CompletionResultType]::ParameterName, 'Print how many clients were online at a time')
            [CompletionResult]::new('--outages', '--outages', [CompletionResultType]::ParameterName, 'Print when many clients were lost at once, what they have in common, and how many came back')
            [CompletionResult]::new('--anomalies', '--anomalies', [CompletionResultType]::ParameterName, 'Print how many clients have an odd history, by anomaly, and some of them')
            [CompletionResult]::new('--debounce-advisor', '--debounce-advisor', [CompletionResultType]::ParameterName, 'Print how long to wait before an absence is told, so that short ones are not')
            [CompletionResult]::new('--csv', '--csv', [CompletionResultType]::ParameterName, 'Print comma-separated values, below a header')
            [CompletionResult]::new('--print-config', '--print-config', [CompletionResultType]::ParameterName, 'Print every option with its value and where it comes from, and do nothing')
            [CompletionResult]::new('--publish', '--publish', [CompletionResultType]::ParameterName, 'Send the messages to a broker, each when it is due, instead of judging them')
            [CompletionResult]::new('--retain', '--retain', [CompletionResultType]::ParameterName, 'Have the broker keep the last message of every topic')
            [CompletionResult]::new('--yes-load', '--yes-load', [CompletionResultType]::ParameterName, 'Put a broker under load that is neither on this machine nor in a private network')
            [CompletionResult]::new('--password-stdin', '--password-stdin', [CompletionResultType]::ParameterName, 'Read the password from standard input')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Accept any certificate from whoever answers')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on standard error but warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say on standard error what is going on inside; twice: in libraries too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'presence;help' {
            [CompletionResult]::new('watch', 'watch', [CompletionResultType]::ParameterValue, 'Shows who comes and goes, as it happens')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Answers whether clients are online, and how that is known')
            [CompletionResult]::new('probe', 'probe', [CompletionResultType]::ParameterValue, 'Tells which evidence a broker gives of clients, to this account, and how late')
            [CompletionResult]::new('demo', 'demo', [CompletionResultType]::ParameterValue, 'Shows a small fleet living and dying, and what was heard of it')
            [CompletionResult]::new('broker', 'broker', [CompletionResultType]::ParameterValue, 'Runs a small MQTT broker that tells who comes and goes')
            [CompletionResult]::new('store', 'store', [CompletionResultType]::ParameterValue, 'Looks after what watchers have kept')
            [CompletionResult]::new('dialects', 'dialects', [CompletionResultType]::ParameterValue, 'Lists the ways of announcing clients that are understood')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Prints the completions for a shell, or the manual page')
            [CompletionResult]::new('simulate', 'simulate', [CompletionResultType]::ParameterValue, 'Lets devices come, live and die at a broker')
            [CompletionResult]::new('replay', 'replay', [CompletionResultType]::ParameterValue, 'Judges recorded events: recordings, notices, broker logs')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'presence;help;watch' {
            break
        }
        'presence;help;check' {
            break
        }
        'presence;help;probe' {
            break
        }
        'presence;help;demo' {
            break
        }
        'presence;help;broker' {
            break
        }
        'presence;help;store' {
            [CompletionResult]::new('info', 'info', [CompletionResultType]::ParameterValue, 'Shows which brokers a store knows, who listened, and until when')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Joins files into a store: exports, recordings, notices, broker logs')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Prints all that a store knows as JSON Lines, for `store import` and `replay`')
            [CompletionResult]::new('compact', 'compact', [CompletionResultType]::ParameterValue, 'Gives space that is no longer used back to the disk')
            [CompletionResult]::new('forget-session', 'forget-session', [CompletionResultType]::ParameterValue, 'Removes the watcher''s session from the broker')
            [CompletionResult]::new('forget-queues', 'forget-queues', [CompletionResultType]::ParameterValue, 'Forgets how far the queues of a source were read')
            break
        }
        'presence;help;store;info' {
            break
        }
        'presence;help;store;import' {
            break
        }
        'presence;help;store;export' {
            break
        }
        'presence;help;store;compact' {
            break
        }
        'presence;help;store;forget-session' {
            break
        }
        'presence;help;store;forget-queues' {
            break
        }
        'presence;help;dialects' {
            [CompletionResult]::new('test', 'test', [CompletionResultType]::ParameterValue, 'Tells what a dialect of your own makes of a sample, message by message')
            break
        }
        'presence;help;dialects;test' {
            break
        }
        'presence;help;completions' {
            break
        }
        'presence;help;simulate' {
            [CompletionResult]::new('merge', 'merge', [CompletionResultType]::ParameterValue, 'Joins the reports of the shards of one run')
            break
        }
        'presence;help;simulate;merge' {
            break
        }
        'presence;help;replay' {
            break
        }
        'presence;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
