# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_presence_global_optspecs
    string join \n q/quiet v/verbose h/help V/version
end

function __fish_presence_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_presence_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_presence_using_subcommand
    set -l cmd (__fish_presence_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c presence -n "__fish_presence_needs_command" -s q -l quiet -d 'Say nothing on standard error but warnings and errors'
complete -c presence -n "__fish_presence_needs_command" -s v -l verbose -d 'Say on standard error what is going on inside; twice: in libraries too'
complete -c presence -n "__fish_presence_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c presence -n "__fish_presence_needs_command" -s V -l version -d 'Print version'
complete -c presence -n "__fish_presence_needs_command" -f -a "watch" -d 'Shows who comes and goes, as it happens'
complete -c presence -n "__fish_presence_needs_command" -f -a "check" -d 'Answers whether clients are online, and how that is known'
complete -c presence -n "__fish_presence_needs_command" -f -a "probe" -d 'Tells which evidence a broker gives of clients, to this account, and how late'
complete -c presence -n "__fish_presence_needs_command" -f -a "demo" -d 'Shows a small fleet living and dying, and what was heard of it'
complete -c presence -n "__fish_presence_needs_command" -f -a "broker" -d 'Runs a small MQTT broker that tells who comes and goes'
complete -c presence -n "__fish_presence_needs_command" -f -a "store" -d 'Looks after what watchers have kept'
complete -c presence -n "__fish_presence_needs_command" -f -a "dialects" -d 'Lists the ways of announcing clients that are understood'
complete -c presence -n "__fish_presence_needs_command" -f -a "completions" -d 'Prints the completions for a shell, or the manual page'
complete -c presence -n "__fish_presence_needs_command" -f -a "simulate" -d 'Lets devices come, live and die at a broker'
complete -c presence -n "__fish_presence_needs_command" -f -a "replay" -d 'Judges recorded events: recordings, notices, broker logs'
complete -c presence -n "__fish_presence_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c presence -n "__fish_presence_using_subcommand watch" -l view -d 'Show changes as they come, or all clients on the whole screen' -r -f -a "stream\t'One line for each change, above a status line'
table\t'A full-screen table of all clients'"
complete -c presence -n "__fish_presence_using_subcommand watch" -l client -d 'Show only clients whose id matches; may be given several times' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l group -d 'Show only clients of this group; may be given several times' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l only -d 'Show only what is, or becomes, of this state; may be given several times' -r -f -a "online\t''
closing\t''
offline\t''
unknown\t''
suspect\t''"
complete -c presence -n "__fish_presence_using_subcommand watch" -l format -d 'Print each change by a template, such as \'{at} {client} {from}->{to} {cause}\'' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l share -d 'Share the work with all watchers of this group and store' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l shard -d 'Read the Ith of N parts of the queues of a topic, and leave the others to watchers with the same store' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l metrics -d 'Serve figures for Prometheus at this address, as HOST:PORT or PORT' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l metrics-client -d 'Give clients whose id matches a figure of their own; may be given several times' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l record -d 'Append everything that is heard to a file, for `presence replay`' -r -F
complete -c presence -n "__fish_presence_using_subcommand watch" -l probe -d 'Listen with the dialects that a probe recommends' -r -F
complete -c presence -n "__fish_presence_using_subcommand watch" -l store -d 'File, Redis or PostgreSQL that keeps what is known, or `memory` for none' -r -F
complete -c presence -n "__fish_presence_using_subcommand watch" -l store-password-file -d 'Read the password for the Redis or the PostgreSQL from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand watch" -l store-cafile -d 'Believe only these authorities about the Redis or the PostgreSQL, a PEM file' -r -F
complete -c presence -n "__fish_presence_using_subcommand watch" -l timeout -d 'Give up if the first connection takes longer' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l broker-queue -d 'Messages that the broker queues for a session that is away, 0 for no limit' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l bridge-gaps -d 'Treat absences up to this long as if nothing had happened' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l forget-clients -d 'Forget clients that are away and were not heard of for this long' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l debounce -d 'Tell a change only once it has lasted this long' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l exec -d 'Run a command for each change' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l exec-on -d 'Which changes the command is run for' -r -f -a "change\t'Every change that is shown'
online\t'A client is online, also by a new connection'
closing\t'A client said goodbye'
offline\t'A client is offline'
unknown\t'Nobody can tell any more'
suspect\t'Evidence disagrees'
flapping\t'A client begins to come and go too often'
takeover-loop\t'Two devices begin to throw each other out'"
complete -c presence -n "__fish_presence_using_subcommand watch" -l exec-parallel -d 'Commands that may run at the same time' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l exec-timeout -d 'End a command that runs for longer, and all it has started' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l exec-queue -d 'Changes that may wait for a command' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l webhook -d 'Post changes as JSON to this URL' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l webhook-on -d 'Which changes are posted' -r -f -a "change\t'Every change that is shown'
online\t'A client is online, also by a new connection'
closing\t'A client said goodbye'
offline\t'A client is offline'
unknown\t'Nobody can tell any more'
suspect\t'Evidence disagrees'
flapping\t'A client begins to come and go too often'
takeover-loop\t'Two devices begin to throw each other out'"
complete -c presence -n "__fish_presence_using_subcommand watch" -l webhook-secret-file -d 'Sign what is posted with the secret in this file' -r -F
complete -c presence -n "__fish_presence_using_subcommand watch" -l webhook-cafile -d 'Believe only these certificate authorities for the webhook' -r -F
complete -c presence -n "__fish_presence_using_subcommand watch" -l webhook-timeout -d 'Give up one attempt to post after this long' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l webhook-queue -d 'Changes that may wait to be posted' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l fail-on -d 'End with exit code 1 as soon as this happens' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l for -d 'End after this time, with exit code 0' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l count -d 'End after this many changes, with exit code 0' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l profile -d 'Take options from this profile of the configuration file' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -s b -l broker -d 'Where the broker listens' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l instance -d 'Name the broker goes by in stores and output' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -s u -l username -d 'User to connect as' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l password-file -d 'Read the password from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand watch" -l auth -d 'What user name and password are made of' -r -f -a "plain\t''
aliyun-signature\t''
aliyun-token\t''
aliyun-device\t''"
complete -c presence -n "__fish_presence_using_subcommand watch" -l auth-token-file -d 'Read the tokens for `--auth aliyun-token` from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand watch" -l aliyun-instance -d 'Id of the instance of Alibaba Cloud\'s MQTT, as in post-cn-0pp12gl' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -s i -l client-id -d 'Client id to connect with' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -s k -l keepalive -d 'Longest silence on the connection before it is probed' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l mqtt-version -d 'Version of MQTT to speak' -r -f -a "3.1.1\t''
5\t''"
complete -c presence -n "__fish_presence_using_subcommand watch" -l cafile -l ca -d 'Believe only the certificate authorities in this PEM file' -r -F
complete -c presence -n "__fish_presence_using_subcommand watch" -l cert -d 'Certificate to show to the broker, a PEM file' -r -F
complete -c presence -n "__fish_presence_using_subcommand watch" -l key -d 'Private key of the certificate, a PEM file without passphrase' -r -F
complete -c presence -n "__fish_presence_using_subcommand watch" -l tls-alpn -l alpn -d 'Application protocol to name in the TLS handshake' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l access-key-id -d 'Id of the access key, or of a device\'s own' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l access-key-secret-file -d 'Read the secret of the access key from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand watch" -l access-key-token-file -d 'Read the security token of a temporary access key from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand watch" -l source -d 'Listen where a broker tells it beside MQTT; may be given several times' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l listen-webhook -d 'Take in what brokers post to this address, as HOST:PORT or PORT' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l listen-webhook-secret-file -d 'Take in only what comes with the secret in this file' -r -F
complete -c presence -n "__fish_presence_using_subcommand watch" -l since -d 'Where to begin in a queue of which nothing was read yet: `earliest`, `latest`, `2h`, or a moment' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l until -d 'Leave out what is stored in queues then or later, and end with it, as RFC 3339 or ms since 1970' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l tags -d 'Read only messages with one of these tags; `*` stands for all' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l consumer-group -d 'Name of the consumer group to ask as, where rights are given to groups' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l namespace -d 'Instance of the cloud whose topics and groups are meant, as in `MQ_INST_…`' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l sasl -d 'How to say who we are [default: the strongest that the broker has]' -r -f -a "plain\t''
scram-sha-256\t''
scram-sha-512\t''"
complete -c presence -n "__fish_presence_using_subcommand watch" -l api -d 'API to ask who is connected, such as `emqx5+http://HOST`' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l api-user -d 'User name, application id or access key to log in to the API with' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l api-password-file -d 'Read the password, secret or secret key of the API from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand watch" -l api-token-file -d 'Read the token of the API from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand watch" -l api-cafile -d 'Believe only the certificate authorities in this PEM file, for APIs' -r -F
complete -c presence -n "__fish_presence_using_subcommand watch" -l dialect -d 'Way of announcing clients to understand; may be given several times' -r -f -a "auto\t'All that brokers and devices publish by themselves, recognised by topic and content'
lmq\t'Notices of Alibaba Cloud\'s MQTT service (connect, disconnect, tcpclean), over any topic'
mosquitto\t'Log of Mosquitto 1.4 to 2.1, as a file or on `$SYS/broker/log/#`'
aedes\t'Client ids of aedes, below `$SYS`'
aws-iot\t'Lifecycle events of AWS IoT Core, below `$aws/events`'
nanomq\t'Client notices of NanoMQ, below `$SYS/brokers`'
emqx\t'Client notices of EMQX 4 to 6, below `$SYS/brokers`'
rmqtt\t'Client notices of RMQTT, below `$SYS/brokers`'
hivemq\t'Event log of HiveMQ, as a file'
flashmq\t'Log of FlashMQ, as a file'
tencent-tdmq\t'Client events of Tencent Cloud\'s TDMQ for MQTT, below `$events`'
connection-state\t'State that Mosquitto\'s plugin `connection-state` keeps retained'
alibaba-iot\t'Device states of Alibaba Cloud\'s IoT Platform (another product than LMQ)'
aliyun-trace\t'Histories of clients that the API of Alibaba Cloud\'s MQTT tells, as a file'
azure-iothub\t'Connection states of Azure IoT Hub, from Event Grid or by routing'
azure-eventgrid\t'Client sessions of Azure Event Grid\'s MQTT broker'
huawei\t'Device states that Huawei IoTDA pushes'
tencent-iothub\t'States of devices of Tencent\'s IoT Hub and IoT Explorer, as a file'
vernemq\t'Calls of VerneMQ\'s webhooks'
rabbitmq\t'Events of RabbitMQ\'s event exchange, 3.8 to 4'
rabbitmq-log\t'Log of RabbitMQ 3.8 to 3.11, as a file'
activemq\t'Advisories of ActiveMQ Classic about connections'
artemis\t'Notifications of ActiveMQ Artemis about sessions'
nats\t'System events of NATS server about clients of MQTT, kept one a line'
emqx-rule\t'Client events that rules of EMQX 4 to 6 or the webhook of 4.x hand on'
nanomq-webhook\t'Calls of NanoMQ\'s webhook'
mochi\t'Hooks of mochi-mqtt, as the program that embeds it writes them'
moquette\t'Interceptors of Moquette, as the program that embeds it writes them'
bifromq\t'Events of BifroMQ, as an event collector of yours writes them'
solace\t'Event log of Solace, as a file; known from its documents alone'
sparkplug\t'Births and deaths of Sparkplug B, nodes and devices'
homeassistant\t'Home Assistant itself, and entities beside their configuration'
zigbee2mqtt\t'Bridge and devices of zigbee2mqtt'
tasmota\t'Tasmota, in both orders of its topics'
shelly1\t'Shelly devices of the first generation'
homie\t'Homie 2 to 5'
frigate\t'Frigate'
theengs\t'Theengs Gateway'
openmqttgateway\t'OpenMQTTGateway'
campbell\t'Campbell Scientific loggers'
shelly2\t'Shelly devices from the second generation on'
esphome\t'ESPHome nodes'
status\t'Retained status that devices keep by birth and will'"
complete -c presence -n "__fish_presence_using_subcommand watch" -l dialect-file -d 'File that describes a dialect of your own; may be given several times' -r -F
complete -c presence -n "__fish_presence_using_subcommand watch" -l topic -d 'Listen here instead of where the dialect says; may be given several times' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l status-topic -d 'Where devices keep their own status, with `{client}` in the place of the client id' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l status-online -d 'Word that means online there; may be given several times' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l status-offline -d 'Word that means offline there; may be given several times' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l status-json -d 'Where the word stands in a status that is JSON, as a JSON pointer such as `/state`' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l time-zone -d 'Zone of local times, such as `Europe/Berlin`, `UTC` or `+02:00`' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l skew -d 'Largest difference assumed between the clocks of two nodes of a broker' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l close-grace -d 'Wait for the transport to end after a client has said goodbye' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l future -d 'How far ahead of our clock a stamp may be and still be believed' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l channels -d 'Channels remembered per client' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l loop -d 'Connects within a time that count as flapping, as COUNT/DURATION' -r
complete -c presence -n "__fish_presence_using_subcommand watch" -l anomalies -d 'Show only clients whose history is odd'
complete -c presence -n "__fish_presence_using_subcommand watch" -l messages -d 'Show every message of a queue too, before what it changes'
complete -c presence -n "__fish_presence_using_subcommand watch" -l json -d 'Print one JSON object a line'
complete -c presence -n "__fish_presence_using_subcommand watch" -l join -d 'Read the queues of a topic that the other members of `--consumer-group` leave to us'
complete -c presence -n "__fish_presence_using_subcommand watch" -l metrics-public -d 'Let other machines fetch the figures'
complete -c presence -n "__fish_presence_using_subcommand watch" -l clean -d 'Leave no session behind at the broker'
complete -c presence -n "__fish_presence_using_subcommand watch" -l print-config -d 'Print every option with its value and where it comes from, and do nothing'
complete -c presence -n "__fish_presence_using_subcommand watch" -l password-stdin -d 'Read the password from standard input'
complete -c presence -n "__fish_presence_using_subcommand watch" -l insecure -d 'Accept any certificate from whoever answers'
complete -c presence -n "__fish_presence_using_subcommand watch" -l may-take-messages -d 'Read queues from which each message goes to one reader only'
complete -c presence -n "__fish_presence_using_subcommand watch" -l api-insecure -d 'Accept any certificate from the API'
complete -c presence -n "__fish_presence_using_subcommand watch" -s q -l quiet -d 'Say nothing on standard error but warnings and errors'
complete -c presence -n "__fish_presence_using_subcommand watch" -s v -l verbose -d 'Say on standard error what is going on inside; twice: in libraries too'
complete -c presence -n "__fish_presence_using_subcommand watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c presence -n "__fish_presence_using_subcommand check" -l fleet -d 'Read more client ids from a file; `-` is standard input' -r
complete -c presence -n "__fish_presence_using_subcommand check" -l fleet-format -d 'What that file is; without it, what its name ends in says' -r -f -a "plain\t'One id a line'
csv\t'A table whose first row names its columns'
json\t'Texts or objects, in a list or one a line, or what an API of a broker lists'"
complete -c presence -n "__fish_presence_using_subcommand check" -l fleet-column -d 'Column or member of it that holds the client id' -r
complete -c presence -n "__fish_presence_using_subcommand check" -l match -d 'Ask about the clients of the store whose ids match; may be given several times' -r
complete -c presence -n "__fish_presence_using_subcommand check" -l reconcile -d 'Compare what the store says with what the broker lists, read from a file; `-` is standard input' -r
complete -c presence -n "__fish_presence_using_subcommand check" -l evidence -d 'Evidence to gather' -r -f -a "store\t'What a watcher has kept'
retained\t'The status that the broker keeps retained for each client'
listen\t'What the broker says within the timeout'
api\t'What the APIs answer that `--api` names'
dynsec\t'What Mosquitto\'s dynamic security says of the account that is tied to the client id'"
complete -c presence -n "__fish_presence_using_subcommand check" -l probe -d 'Listen with the dialects that a probe recommends' -r -F
complete -c presence -n "__fish_presence_using_subcommand check" -l timeout -d 'Longest time that gathering evidence or waiting may take [default: 5s, more where an API needs it, with --wait 2m]' -r
complete -c presence -n "__fish_presence_using_subcommand check" -l wait -d 'Wait until all of them are online, or all are offline' -r -f -a "online\t''
offline\t''"
complete -c presence -n "__fish_presence_using_subcommand check" -l stable -d 'How long it must have been so without a break' -r
complete -c presence -n "__fish_presence_using_subcommand check" -l max-offline -d 'So many may be not online, as a number or a share of all (`5%`)' -r
complete -c presence -n "__fish_presence_using_subcommand check" -l profile -d 'Take options from this profile of the configuration file' -r
complete -c presence -n "__fish_presence_using_subcommand check" -l store -d 'File, Redis or PostgreSQL that keeps what is known, or `memory` for none' -r -F
complete -c presence -n "__fish_presence_using_subcommand check" -l store-password-file -d 'Read the password for the Redis or the PostgreSQL from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand check" -l store-cafile -d 'Believe only these authorities about the Redis or the PostgreSQL, a PEM file' -r -F
complete -c presence -n "__fish_presence_using_subcommand check" -s b -l broker -d 'Where the broker listens' -r
complete -c presence -n "__fish_presence_using_subcommand check" -l instance -d 'Name the broker goes by in stores and output' -r
complete -c presence -n "__fish_presence_using_subcommand check" -s u -l username -d 'User to connect as' -r
complete -c presence -n "__fish_presence_using_subcommand check" -l password-file -d 'Read the password from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand check" -l auth -d 'What user name and password are made of' -r -f -a "plain\t''
aliyun-signature\t''
aliyun-token\t''
aliyun-device\t''"
complete -c presence -n "__fish_presence_using_subcommand check" -l auth-token-file -d 'Read the tokens for `--auth aliyun-token` from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand check" -l aliyun-instance -d 'Id of the instance of Alibaba Cloud\'s MQTT, as in post-cn-0pp12gl' -r
complete -c presence -n "__fish_presence_using_subcommand check" -s i -l client-id -d 'Client id to connect with' -r
complete -c presence -n "__fish_presence_using_subcommand check" -s k -l keepalive -d 'Longest silence on the connection before it is probed' -r
complete -c presence -n "__fish_presence_using_subcommand check" -l mqtt-version -d 'Version of MQTT to speak' -r -f -a "3.1.1\t''
5\t''"
complete -c presence -n "__fish_presence_using_subcommand check" -l cafile -l ca -d 'Believe only the certificate authorities in this PEM file' -r -F
complete -c presence -n "__fish_presence_using_subcommand check" -l cert -d 'Certificate to show to the broker, a PEM file' -r -F
complete -c presence -n "__fish_presence_using_subcommand check" -l key -d 'Private key of the certificate, a PEM file without passphrase' -r -F
complete -c presence -n "__fish_presence_using_subcommand check" -l tls-alpn -l alpn -d 'Application protocol to name in the TLS handshake' -r
complete -c presence -n "__fish_presence_using_subcommand check" -l access-key-id -d 'Id of the access key, or of a device\'s own' -r
complete -c presence -n "__fish_presence_using_subcommand check" -l access-key-secret-file -d 'Read the secret of the access key from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand check" -l access-key-token-file -d 'Read the security token of a temporary access key from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand check" -l api -d 'API to ask who is connected, such as `emqx5+http://HOST`' -r
complete -c presence -n "__fish_presence_using_subcommand check" -l api-user -d 'User name, application id or access key to log in to the API with' -r
complete -c presence -n "__fish_presence_using_subcommand check" -l api-password-file -d 'Read the password, secret or secret key of the API from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand check" -l api-token-file -d 'Read the token of the API from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand check" -l api-cafile -d 'Believe only the certificate authorities in this PEM file, for APIs' -r -F
complete -c presence -n "__fish_presence_using_subcommand check" -l dialect -d 'Way of announcing clients to understand; may be given several times' -r -f -a "auto\t'All that brokers and devices publish by themselves, recognised by topic and content'
lmq\t'Notices of Alibaba Cloud\'s MQTT service (connect, disconnect, tcpclean), over any topic'
mosquitto\t'Log of Mosquitto 1.4 to 2.1, as a file or on `$SYS/broker/log/#`'
aedes\t'Client ids of aedes, below `$SYS`'
aws-iot\t'Lifecycle events of AWS IoT Core, below `$aws/events`'
nanomq\t'Client notices of NanoMQ, below `$SYS/brokers`'
emqx\t'Client notices of EMQX 4 to 6, below `$SYS/brokers`'
rmqtt\t'Client notices of RMQTT, below `$SYS/brokers`'
hivemq\t'Event log of HiveMQ, as a file'
flashmq\t'Log of FlashMQ, as a file'
tencent-tdmq\t'Client events of Tencent Cloud\'s TDMQ for MQTT, below `$events`'
connection-state\t'State that Mosquitto\'s plugin `connection-state` keeps retained'
alibaba-iot\t'Device states of Alibaba Cloud\'s IoT Platform (another product than LMQ)'
aliyun-trace\t'Histories of clients that the API of Alibaba Cloud\'s MQTT tells, as a file'
azure-iothub\t'Connection states of Azure IoT Hub, from Event Grid or by routing'
azure-eventgrid\t'Client sessions of Azure Event Grid\'s MQTT broker'
huawei\t'Device states that Huawei IoTDA pushes'
tencent-iothub\t'States of devices of Tencent\'s IoT Hub and IoT Explorer, as a file'
vernemq\t'Calls of VerneMQ\'s webhooks'
rabbitmq\t'Events of RabbitMQ\'s event exchange, 3.8 to 4'
rabbitmq-log\t'Log of RabbitMQ 3.8 to 3.11, as a file'
activemq\t'Advisories of ActiveMQ Classic about connections'
artemis\t'Notifications of ActiveMQ Artemis about sessions'
nats\t'System events of NATS server about clients of MQTT, kept one a line'
emqx-rule\t'Client events that rules of EMQX 4 to 6 or the webhook of 4.x hand on'
nanomq-webhook\t'Calls of NanoMQ\'s webhook'
mochi\t'Hooks of mochi-mqtt, as the program that embeds it writes them'
moquette\t'Interceptors of Moquette, as the program that embeds it writes them'
bifromq\t'Events of BifroMQ, as an event collector of yours writes them'
solace\t'Event log of Solace, as a file; known from its documents alone'
sparkplug\t'Births and deaths of Sparkplug B, nodes and devices'
homeassistant\t'Home Assistant itself, and entities beside their configuration'
zigbee2mqtt\t'Bridge and devices of zigbee2mqtt'
tasmota\t'Tasmota, in both orders of its topics'
shelly1\t'Shelly devices of the first generation'
homie\t'Homie 2 to 5'
frigate\t'Frigate'
theengs\t'Theengs Gateway'
openmqttgateway\t'OpenMQTTGateway'
campbell\t'Campbell Scientific loggers'
shelly2\t'Shelly devices from the second generation on'
esphome\t'ESPHome nodes'
status\t'Retained status that devices keep by birth and will'"
complete -c presence -n "__fish_presence_using_subcommand check" -l dialect-file -d 'File that describes a dialect of your own; may be given several times' -r -F
complete -c presence -n "__fish_presence_using_subcommand check" -l topic -d 'Listen here instead of where the dialect says; may be given several times' -r
complete -c presence -n "__fish_presence_using_subcommand check" -l status-topic -d 'Where devices keep their own status, with `{client}` in the place of the client id' -r
complete -c presence -n "__fish_presence_using_subcommand check" -l status-online -d 'Word that means online there; may be given several times' -r
complete -c presence -n "__fish_presence_using_subcommand check" -l status-offline -d 'Word that means offline there; may be given several times' -r
complete -c presence -n "__fish_presence_using_subcommand check" -l status-json -d 'Where the word stands in a status that is JSON, as a JSON pointer such as `/state`' -r
complete -c presence -n "__fish_presence_using_subcommand check" -l time-zone -d 'Zone of local times, such as `Europe/Berlin`, `UTC` or `+02:00`' -r
complete -c presence -n "__fish_presence_using_subcommand check" -l skew -d 'Largest difference assumed between the clocks of two nodes of a broker' -r
complete -c presence -n "__fish_presence_using_subcommand check" -l close-grace -d 'Wait for the transport to end after a client has said goodbye' -r
complete -c presence -n "__fish_presence_using_subcommand check" -l future -d 'How far ahead of our clock a stamp may be and still be believed' -r
complete -c presence -n "__fish_presence_using_subcommand check" -l channels -d 'Channels remembered per client' -r
complete -c presence -n "__fish_presence_using_subcommand check" -l loop -d 'Connects within a time that count as flapping, as COUNT/DURATION' -r
complete -c presence -n "__fish_presence_using_subcommand check" -l fresh -d 'Ask every source, even where the store already knows'
complete -c presence -n "__fish_presence_using_subcommand check" -l explain -d 'Show the evidence of every voice, and what decided'
complete -c presence -n "__fish_presence_using_subcommand check" -l json -d 'Print one JSON object a line'
complete -c presence -n "__fish_presence_using_subcommand check" -l nagios -d 'Answer as a plugin of Nagios does, with performance data'
complete -c presence -n "__fish_presence_using_subcommand check" -l print-config -d 'Print every option with its value and where it comes from, and do nothing'
complete -c presence -n "__fish_presence_using_subcommand check" -l password-stdin -d 'Read the password from standard input'
complete -c presence -n "__fish_presence_using_subcommand check" -l insecure -d 'Accept any certificate from whoever answers'
complete -c presence -n "__fish_presence_using_subcommand check" -l api-insecure -d 'Accept any certificate from the API'
complete -c presence -n "__fish_presence_using_subcommand check" -s q -l quiet -d 'Say nothing on standard error but warnings and errors'
complete -c presence -n "__fish_presence_using_subcommand check" -s v -l verbose -d 'Say on standard error what is going on inside; twice: in libraries too'
complete -c presence -n "__fish_presence_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c presence -n "__fish_presence_using_subcommand probe" -l id-prefix -d 'What the ids of the clients begin with, where the broker or the account demands it' -r
complete -c presence -n "__fish_presence_using_subcommand probe" -l timeout -d 'Longest time that a step may take' -r
complete -c presence -n "__fish_presence_using_subcommand probe" -l profile -d 'Take options from this profile of the configuration file' -r
complete -c presence -n "__fish_presence_using_subcommand probe" -s b -l broker -d 'Where the broker listens' -r
complete -c presence -n "__fish_presence_using_subcommand probe" -l instance -d 'Name the broker goes by in stores and output' -r
complete -c presence -n "__fish_presence_using_subcommand probe" -s u -l username -d 'User to connect as' -r
complete -c presence -n "__fish_presence_using_subcommand probe" -l password-file -d 'Read the password from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand probe" -l auth -d 'What user name and password are made of' -r -f -a "plain\t''
aliyun-signature\t''
aliyun-token\t''
aliyun-device\t''"
complete -c presence -n "__fish_presence_using_subcommand probe" -l auth-token-file -d 'Read the tokens for `--auth aliyun-token` from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand probe" -l aliyun-instance -d 'Id of the instance of Alibaba Cloud\'s MQTT, as in post-cn-0pp12gl' -r
complete -c presence -n "__fish_presence_using_subcommand probe" -s i -l client-id -d 'Client id to connect with' -r
complete -c presence -n "__fish_presence_using_subcommand probe" -s k -l keepalive -d 'Longest silence on the connection before it is probed' -r
complete -c presence -n "__fish_presence_using_subcommand probe" -l mqtt-version -d 'Version of MQTT to speak' -r -f -a "3.1.1\t''
5\t''"
complete -c presence -n "__fish_presence_using_subcommand probe" -l cafile -l ca -d 'Believe only the certificate authorities in this PEM file' -r -F
complete -c presence -n "__fish_presence_using_subcommand probe" -l cert -d 'Certificate to show to the broker, a PEM file' -r -F
complete -c presence -n "__fish_presence_using_subcommand probe" -l key -d 'Private key of the certificate, a PEM file without passphrase' -r -F
complete -c presence -n "__fish_presence_using_subcommand probe" -l tls-alpn -l alpn -d 'Application protocol to name in the TLS handshake' -r
complete -c presence -n "__fish_presence_using_subcommand probe" -l access-key-id -d 'Id of the access key, or of a device\'s own' -r
complete -c presence -n "__fish_presence_using_subcommand probe" -l access-key-secret-file -d 'Read the secret of the access key from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand probe" -l access-key-token-file -d 'Read the security token of a temporary access key from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand probe" -l dialect -d 'Way of announcing clients to try; may be given several times' -r -f -a "auto\t'All that brokers and devices publish by themselves, recognised by topic and content'
lmq\t'Notices of Alibaba Cloud\'s MQTT service (connect, disconnect, tcpclean), over any topic'
mosquitto\t'Log of Mosquitto 1.4 to 2.1, as a file or on `$SYS/broker/log/#`'
aedes\t'Client ids of aedes, below `$SYS`'
aws-iot\t'Lifecycle events of AWS IoT Core, below `$aws/events`'
nanomq\t'Client notices of NanoMQ, below `$SYS/brokers`'
emqx\t'Client notices of EMQX 4 to 6, below `$SYS/brokers`'
rmqtt\t'Client notices of RMQTT, below `$SYS/brokers`'
hivemq\t'Event log of HiveMQ, as a file'
flashmq\t'Log of FlashMQ, as a file'
tencent-tdmq\t'Client events of Tencent Cloud\'s TDMQ for MQTT, below `$events`'
connection-state\t'State that Mosquitto\'s plugin `connection-state` keeps retained'
alibaba-iot\t'Device states of Alibaba Cloud\'s IoT Platform (another product than LMQ)'
aliyun-trace\t'Histories of clients that the API of Alibaba Cloud\'s MQTT tells, as a file'
azure-iothub\t'Connection states of Azure IoT Hub, from Event Grid or by routing'
azure-eventgrid\t'Client sessions of Azure Event Grid\'s MQTT broker'
huawei\t'Device states that Huawei IoTDA pushes'
tencent-iothub\t'States of devices of Tencent\'s IoT Hub and IoT Explorer, as a file'
vernemq\t'Calls of VerneMQ\'s webhooks'
rabbitmq\t'Events of RabbitMQ\'s event exchange, 3.8 to 4'
rabbitmq-log\t'Log of RabbitMQ 3.8 to 3.11, as a file'
activemq\t'Advisories of ActiveMQ Classic about connections'
artemis\t'Notifications of ActiveMQ Artemis about sessions'
nats\t'System events of NATS server about clients of MQTT, kept one a line'
emqx-rule\t'Client events that rules of EMQX 4 to 6 or the webhook of 4.x hand on'
nanomq-webhook\t'Calls of NanoMQ\'s webhook'
mochi\t'Hooks of mochi-mqtt, as the program that embeds it writes them'
moquette\t'Interceptors of Moquette, as the program that embeds it writes them'
bifromq\t'Events of BifroMQ, as an event collector of yours writes them'
solace\t'Event log of Solace, as a file; known from its documents alone'
sparkplug\t'Births and deaths of Sparkplug B, nodes and devices'
homeassistant\t'Home Assistant itself, and entities beside their configuration'
zigbee2mqtt\t'Bridge and devices of zigbee2mqtt'
tasmota\t'Tasmota, in both orders of its topics'
shelly1\t'Shelly devices of the first generation'
homie\t'Homie 2 to 5'
frigate\t'Frigate'
theengs\t'Theengs Gateway'
openmqttgateway\t'OpenMQTTGateway'
campbell\t'Campbell Scientific loggers'
shelly2\t'Shelly devices from the second generation on'
esphome\t'ESPHome nodes'
status\t'Retained status that devices keep by birth and will'"
complete -c presence -n "__fish_presence_using_subcommand probe" -l dialect-file -d 'File that describes a dialect of your own; may be given several times' -r -F
complete -c presence -n "__fish_presence_using_subcommand probe" -l status-topic -d 'Where the clients keep their status, with `{client}` in the place of the client id' -r
complete -c presence -n "__fish_presence_using_subcommand probe" -l no-silence -d 'Leave out the clients that fall silent, which take the longest'
complete -c presence -n "__fish_presence_using_subcommand probe" -l json -d 'Print one JSON object'
complete -c presence -n "__fish_presence_using_subcommand probe" -l print-config -d 'Print every option with its value and where it comes from, and do nothing'
complete -c presence -n "__fish_presence_using_subcommand probe" -l password-stdin -d 'Read the password from standard input'
complete -c presence -n "__fish_presence_using_subcommand probe" -l insecure -d 'Accept any certificate from whoever answers'
complete -c presence -n "__fish_presence_using_subcommand probe" -s q -l quiet -d 'Say nothing on standard error but warnings and errors'
complete -c presence -n "__fish_presence_using_subcommand probe" -s v -l verbose -d 'Say on standard error what is going on inside; twice: in libraries too'
complete -c presence -n "__fish_presence_using_subcommand probe" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c presence -n "__fish_presence_using_subcommand demo" -s q -l quiet -d 'Say nothing on standard error but warnings and errors'
complete -c presence -n "__fish_presence_using_subcommand demo" -s v -l verbose -d 'Say on standard error what is going on inside; twice: in libraries too'
complete -c presence -n "__fish_presence_using_subcommand demo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c presence -n "__fish_presence_using_subcommand broker" -l listen -d 'Address to listen on; may be given several times' -r
complete -c presence -n "__fish_presence_using_subcommand broker" -l password-file -d 'Let in only users in this file, lines `user:password`' -r -F
complete -c presence -n "__fish_presence_using_subcommand broker" -l notice-topic -d 'Topic of the notices; `{client}` stands for the client id' -r
complete -c presence -n "__fish_presence_using_subcommand broker" -l rocketmq -d 'Send each notice to a topic of RocketMQ too, as Alibaba\'s MQTT service does' -r
complete -c presence -n "__fish_presence_using_subcommand broker" -l connections-max -d 'Clients that may be connected at the same time' -r
complete -c presence -n "__fish_presence_using_subcommand broker" -l fault -d 'Make the notices lie; may be given several times' -r
complete -c presence -n "__fish_presence_using_subcommand broker" -l fault-seed -d 'Seed of the chance in `--fault drop-notice`' -r
complete -c presence -n "__fish_presence_using_subcommand broker" -l access-key-id -d 'Id of the access key, or of a device\'s own' -r
complete -c presence -n "__fish_presence_using_subcommand broker" -l access-key-secret-file -d 'Read the secret of the access key from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand broker" -l access-key-token-file -d 'Read the security token of a temporary access key from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand broker" -s q -l quiet -d 'Say nothing on standard error but warnings and errors'
complete -c presence -n "__fish_presence_using_subcommand broker" -s v -l verbose -d 'Say on standard error what is going on inside; twice: in libraries too'
complete -c presence -n "__fish_presence_using_subcommand broker" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c presence -n "__fish_presence_using_subcommand store; and not __fish_seen_subcommand_from info import export compact forget-session forget-queues help" -s q -l quiet -d 'Say nothing on standard error but warnings and errors'
complete -c presence -n "__fish_presence_using_subcommand store; and not __fish_seen_subcommand_from info import export compact forget-session forget-queues help" -s v -l verbose -d 'Say on standard error what is going on inside; twice: in libraries too'
complete -c presence -n "__fish_presence_using_subcommand store; and not __fish_seen_subcommand_from info import export compact forget-session forget-queues help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c presence -n "__fish_presence_using_subcommand store; and not __fish_seen_subcommand_from info import export compact forget-session forget-queues help" -f -a "info" -d 'Shows which brokers a store knows, who listened, and until when'
complete -c presence -n "__fish_presence_using_subcommand store; and not __fish_seen_subcommand_from info import export compact forget-session forget-queues help" -f -a "import" -d 'Joins files into a store: exports, recordings, notices, broker logs'
complete -c presence -n "__fish_presence_using_subcommand store; and not __fish_seen_subcommand_from info import export compact forget-session forget-queues help" -f -a "export" -d 'Prints all that a store knows as JSON Lines, for `store import` and `replay`'
complete -c presence -n "__fish_presence_using_subcommand store; and not __fish_seen_subcommand_from info import export compact forget-session forget-queues help" -f -a "compact" -d 'Gives space that is no longer used back to the disk'
complete -c presence -n "__fish_presence_using_subcommand store; and not __fish_seen_subcommand_from info import export compact forget-session forget-queues help" -f -a "forget-session" -d 'Removes the watcher\'s session from the broker'
complete -c presence -n "__fish_presence_using_subcommand store; and not __fish_seen_subcommand_from info import export compact forget-session forget-queues help" -f -a "forget-queues" -d 'Forgets how far the queues of a source were read'
complete -c presence -n "__fish_presence_using_subcommand store; and not __fish_seen_subcommand_from info import export compact forget-session forget-queues help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from info" -l profile -d 'Take options from this profile of the configuration file' -r
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from info" -l store -d 'File, Redis or PostgreSQL that keeps what is known, or `memory` for none' -r -F
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from info" -l store-password-file -d 'Read the password for the Redis or the PostgreSQL from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from info" -l store-cafile -d 'Believe only these authorities about the Redis or the PostgreSQL, a PEM file' -r -F
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from info" -l json -d 'Print one JSON object a line'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from info" -l print-config -d 'Print every option with its value and where it comes from, and do nothing'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from info" -s q -l quiet -d 'Say nothing on standard error but warnings and errors'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from info" -s v -l verbose -d 'Say on standard error what is going on inside; twice: in libraries too'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from info" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from import" -l instance -d 'Name of the broker that plain logs are about' -r
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from import" -l profile -d 'Take options from this profile of the configuration file' -r
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from import" -l store -d 'File, Redis or PostgreSQL that keeps what is known, or `memory` for none' -r -F
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from import" -l store-password-file -d 'Read the password for the Redis or the PostgreSQL from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from import" -l store-cafile -d 'Believe only these authorities about the Redis or the PostgreSQL, a PEM file' -r -F
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from import" -l dialect -d 'Way of announcing clients to understand; may be given several times' -r -f -a "auto\t'All that brokers and devices publish by themselves, recognised by topic and content'
lmq\t'Notices of Alibaba Cloud\'s MQTT service (connect, disconnect, tcpclean), over any topic'
mosquitto\t'Log of Mosquitto 1.4 to 2.1, as a file or on `$SYS/broker/log/#`'
aedes\t'Client ids of aedes, below `$SYS`'
aws-iot\t'Lifecycle events of AWS IoT Core, below `$aws/events`'
nanomq\t'Client notices of NanoMQ, below `$SYS/brokers`'
emqx\t'Client notices of EMQX 4 to 6, below `$SYS/brokers`'
rmqtt\t'Client notices of RMQTT, below `$SYS/brokers`'
hivemq\t'Event log of HiveMQ, as a file'
flashmq\t'Log of FlashMQ, as a file'
tencent-tdmq\t'Client events of Tencent Cloud\'s TDMQ for MQTT, below `$events`'
connection-state\t'State that Mosquitto\'s plugin `connection-state` keeps retained'
alibaba-iot\t'Device states of Alibaba Cloud\'s IoT Platform (another product than LMQ)'
aliyun-trace\t'Histories of clients that the API of Alibaba Cloud\'s MQTT tells, as a file'
azure-iothub\t'Connection states of Azure IoT Hub, from Event Grid or by routing'
azure-eventgrid\t'Client sessions of Azure Event Grid\'s MQTT broker'
huawei\t'Device states that Huawei IoTDA pushes'
tencent-iothub\t'States of devices of Tencent\'s IoT Hub and IoT Explorer, as a file'
vernemq\t'Calls of VerneMQ\'s webhooks'
rabbitmq\t'Events of RabbitMQ\'s event exchange, 3.8 to 4'
rabbitmq-log\t'Log of RabbitMQ 3.8 to 3.11, as a file'
activemq\t'Advisories of ActiveMQ Classic about connections'
artemis\t'Notifications of ActiveMQ Artemis about sessions'
nats\t'System events of NATS server about clients of MQTT, kept one a line'
emqx-rule\t'Client events that rules of EMQX 4 to 6 or the webhook of 4.x hand on'
nanomq-webhook\t'Calls of NanoMQ\'s webhook'
mochi\t'Hooks of mochi-mqtt, as the program that embeds it writes them'
moquette\t'Interceptors of Moquette, as the program that embeds it writes them'
bifromq\t'Events of BifroMQ, as an event collector of yours writes them'
solace\t'Event log of Solace, as a file; known from its documents alone'
sparkplug\t'Births and deaths of Sparkplug B, nodes and devices'
homeassistant\t'Home Assistant itself, and entities beside their configuration'
zigbee2mqtt\t'Bridge and devices of zigbee2mqtt'
tasmota\t'Tasmota, in both orders of its topics'
shelly1\t'Shelly devices of the first generation'
homie\t'Homie 2 to 5'
frigate\t'Frigate'
theengs\t'Theengs Gateway'
openmqttgateway\t'OpenMQTTGateway'
campbell\t'Campbell Scientific loggers'
shelly2\t'Shelly devices from the second generation on'
esphome\t'ESPHome nodes'
status\t'Retained status that devices keep by birth and will'"
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from import" -l dialect-file -d 'File that describes a dialect of your own; may be given several times' -r -F
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from import" -l topic -d 'Listen here instead of where the dialect says; may be given several times' -r
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from import" -l status-topic -d 'Where devices keep their own status, with `{client}` in the place of the client id' -r
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from import" -l status-online -d 'Word that means online there; may be given several times' -r
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from import" -l status-offline -d 'Word that means offline there; may be given several times' -r
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from import" -l status-json -d 'Where the word stands in a status that is JSON, as a JSON pointer such as `/state`' -r
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from import" -l time-zone -d 'Zone of local times, such as `Europe/Berlin`, `UTC` or `+02:00`' -r
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from import" -l csv-map -d 'Column of a CSV file that holds a part of the notices, such as `client=Device`' -r
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from import" -l csv-event -d 'Word in a CSV file that stands for a type of event, such as `tcpclean=close`' -r
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from import" -l threads -d 'Threads that read notices at the same time' -r
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from import" -l skew -d 'Largest difference assumed between the clocks of two nodes of a broker' -r
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from import" -l close-grace -d 'Wait for the transport to end after a client has said goodbye' -r
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from import" -l future -d 'How far ahead of our clock a stamp may be and still be believed' -r
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from import" -l channels -d 'Channels remembered per client' -r
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from import" -l loop -d 'Connects within a time that count as flapping, as COUNT/DURATION' -r
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from import" -l strict -d 'Fail on the first line that cannot be read, and import nothing'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from import" -l print-config -d 'Print every option with its value and where it comes from, and do nothing'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from import" -s q -l quiet -d 'Say nothing on standard error but warnings and errors'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from import" -s v -l verbose -d 'Say on standard error what is going on inside; twice: in libraries too'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from import" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from export" -l instance -d 'Only this broker' -r
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from export" -l profile -d 'Take options from this profile of the configuration file' -r
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from export" -l store -d 'File, Redis or PostgreSQL that keeps what is known, or `memory` for none' -r -F
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from export" -l store-password-file -d 'Read the password for the Redis or the PostgreSQL from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from export" -l store-cafile -d 'Believe only these authorities about the Redis or the PostgreSQL, a PEM file' -r -F
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from export" -l print-config -d 'Print every option with its value and where it comes from, and do nothing'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from export" -s q -l quiet -d 'Say nothing on standard error but warnings and errors'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from export" -s v -l verbose -d 'Say on standard error what is going on inside; twice: in libraries too'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from compact" -l profile -d 'Take options from this profile of the configuration file' -r
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from compact" -l store -d 'File, Redis or PostgreSQL that keeps what is known, or `memory` for none' -r -F
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from compact" -l store-password-file -d 'Read the password for the Redis or the PostgreSQL from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from compact" -l store-cafile -d 'Believe only these authorities about the Redis or the PostgreSQL, a PEM file' -r -F
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from compact" -l print-config -d 'Print every option with its value and where it comes from, and do nothing'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from compact" -s q -l quiet -d 'Say nothing on standard error but warnings and errors'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from compact" -s v -l verbose -d 'Say on standard error what is going on inside; twice: in libraries too'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from compact" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-session" -l member -d 'Remove a dead member of a shared group, by its client id' -r
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-session" -l profile -d 'Take options from this profile of the configuration file' -r
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-session" -l store -d 'File, Redis or PostgreSQL that keeps what is known, or `memory` for none' -r -F
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-session" -l store-password-file -d 'Read the password for the Redis or the PostgreSQL from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-session" -l store-cafile -d 'Believe only these authorities about the Redis or the PostgreSQL, a PEM file' -r -F
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-session" -s b -l broker -d 'Where the broker listens' -r
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-session" -l instance -d 'Name the broker goes by in stores and output' -r
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-session" -s u -l username -d 'User to connect as' -r
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-session" -l password-file -d 'Read the password from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-session" -l auth -d 'What user name and password are made of' -r -f -a "plain\t''
aliyun-signature\t''
aliyun-token\t''
aliyun-device\t''"
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-session" -l auth-token-file -d 'Read the tokens for `--auth aliyun-token` from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-session" -l aliyun-instance -d 'Id of the instance of Alibaba Cloud\'s MQTT, as in post-cn-0pp12gl' -r
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-session" -s i -l client-id -d 'Client id to connect with' -r
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-session" -s k -l keepalive -d 'Longest silence on the connection before it is probed' -r
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-session" -l mqtt-version -d 'Version of MQTT to speak' -r -f -a "3.1.1\t''
5\t''"
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-session" -l cafile -l ca -d 'Believe only the certificate authorities in this PEM file' -r -F
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-session" -l cert -d 'Certificate to show to the broker, a PEM file' -r -F
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-session" -l key -d 'Private key of the certificate, a PEM file without passphrase' -r -F
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-session" -l tls-alpn -l alpn -d 'Application protocol to name in the TLS handshake' -r
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-session" -l access-key-id -d 'Id of the access key, or of a device\'s own' -r
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-session" -l access-key-secret-file -d 'Read the secret of the access key from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-session" -l access-key-token-file -d 'Read the security token of a temporary access key from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-session" -l print-config -d 'Print every option with its value and where it comes from, and do nothing'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-session" -l password-stdin -d 'Read the password from standard input'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-session" -l insecure -d 'Accept any certificate from whoever answers'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-session" -s q -l quiet -d 'Say nothing on standard error but warnings and errors'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-session" -s v -l verbose -d 'Say on standard error what is going on inside; twice: in libraries too'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-session" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-queues" -l instance -d 'Name of the source, as `store info` shows it' -r
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-queues" -l profile -d 'Take options from this profile of the configuration file' -r
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-queues" -l store -d 'File, Redis or PostgreSQL that keeps what is known, or `memory` for none' -r -F
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-queues" -l store-password-file -d 'Read the password for the Redis or the PostgreSQL from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-queues" -l store-cafile -d 'Believe only these authorities about the Redis or the PostgreSQL, a PEM file' -r -F
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-queues" -l print-config -d 'Print every option with its value and where it comes from, and do nothing'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-queues" -s q -l quiet -d 'Say nothing on standard error but warnings and errors'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-queues" -s v -l verbose -d 'Say on standard error what is going on inside; twice: in libraries too'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from forget-queues" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from help" -f -a "info" -d 'Shows which brokers a store knows, who listened, and until when'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from help" -f -a "import" -d 'Joins files into a store: exports, recordings, notices, broker logs'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from help" -f -a "export" -d 'Prints all that a store knows as JSON Lines, for `store import` and `replay`'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from help" -f -a "compact" -d 'Gives space that is no longer used back to the disk'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from help" -f -a "forget-session" -d 'Removes the watcher\'s session from the broker'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from help" -f -a "forget-queues" -d 'Forgets how far the queues of a source were read'
complete -c presence -n "__fish_presence_using_subcommand store; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c presence -n "__fish_presence_using_subcommand dialects; and not __fish_seen_subcommand_from test help" -l json -d 'Print one JSON object a dialect'
complete -c presence -n "__fish_presence_using_subcommand dialects; and not __fish_seen_subcommand_from test help" -s q -l quiet -d 'Say nothing on standard error but warnings and errors'
complete -c presence -n "__fish_presence_using_subcommand dialects; and not __fish_seen_subcommand_from test help" -s v -l verbose -d 'Say on standard error what is going on inside; twice: in libraries too'
complete -c presence -n "__fish_presence_using_subcommand dialects; and not __fish_seen_subcommand_from test help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c presence -n "__fish_presence_using_subcommand dialects; and not __fish_seen_subcommand_from test help" -a "test" -d 'Tells what a dialect of your own makes of a sample, message by message'
complete -c presence -n "__fish_presence_using_subcommand dialects; and not __fish_seen_subcommand_from test help" -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c presence -n "__fish_presence_using_subcommand dialects; and __fish_seen_subcommand_from test" -l json -d 'Print one JSON object a line'
complete -c presence -n "__fish_presence_using_subcommand dialects; and __fish_seen_subcommand_from test" -s q -l quiet -d 'Say nothing on standard error but warnings and errors'
complete -c presence -n "__fish_presence_using_subcommand dialects; and __fish_seen_subcommand_from test" -s v -l verbose -d 'Say on standard error what is going on inside; twice: in libraries too'
complete -c presence -n "__fish_presence_using_subcommand dialects; and __fish_seen_subcommand_from test" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c presence -n "__fish_presence_using_subcommand dialects; and __fish_seen_subcommand_from help" -f -a "test" -d 'Tells what a dialect of your own makes of a sample, message by message'
complete -c presence -n "__fish_presence_using_subcommand dialects; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c presence -n "__fish_presence_using_subcommand completions" -s q -l quiet -d 'Say nothing on standard error but warnings and errors'
complete -c presence -n "__fish_presence_using_subcommand completions" -s v -l verbose -d 'Say on standard error what is going on inside; twice: in libraries too'
complete -c presence -n "__fish_presence_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l count -d 'How many devices [default: 100, or as the scenario says]' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l rate -d 'Devices that come, and later go, per second [default: 1000]' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l ramp -d 'Time within which all devices come, instead of a rate' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l duration -d 'How long the whole run takes [default: 20s, or more if the devices need it to come]' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l scenario -d 'Let devices do what a scenario says: a file, or the name of a preset' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l deaths -d 'How devices die, in shares that add up to 100 [default: disconnect=100]' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l nat-drop -d 'Let a router forget devices this long after they connected' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l storm -d 'Reset a share of the devices at one moment, and let them return at once' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l lives -d 'How often each device lives [default: 1, or 2 with --return-after]' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l return-after -d 'Time between a death and the next life of a device [default: 2s]' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l seed -d 'Number that decides whom a death hits [default: a random one, which is shown]' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l shard -d 'Carry out only a part of the plan, on one of several machines' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l run -d 'Mark of this run, `{run}` in templates [default: 6 random hexadecimal digits]' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l credentials -d 'Read user and password of each device from a CSV file' -r -F
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l session-expiry -d 'How long a kept session outlives its connection, MQTT 5 only [default: 1h]' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l keepalive-profile -d 'Whose way of keeping a connection alive devices have' -r -f -a "spec\t''
paho-c-1.2\t''
paho-c-1.3.1\t''
paho-c-1.3.13\t''
paho-golang\t''
mobile-app\t''
never-pings\t''
half-open\t''"
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l reconnect -d 'Let devices that were lost connect again, after this time or 1s' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l will-topic -d 'Topic on which the broker announces a death' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l will-payload -l will-message -d 'What the broker announces' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l will-qos -d 'QoS of the will' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l will-retain -d 'Let the broker keep the will for those who subscribe later; `false` for not' -r -f -a "true\t''
false\t''"
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l will-delay -d 'How long the broker waits for a return before it announces the death, MQTT 5 only' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l birth-topic -d 'Topic on which a device says that it is there' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l birth-payload -d 'What a device says when it is there' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l birth-qos -d 'QoS of the birth message' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l birth-retain -d 'Let the broker keep the birth message; `false` for not' -r -f -a "true\t''
false\t''"
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l publish-every -d 'Let each device publish at this interval' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l publish-topic -d 'Topic that devices publish to' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l payload -l message -d 'What devices publish' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l payload-size -d 'Publish this many bytes instead of a text' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l qos -d 'QoS of what devices publish and subscribe to' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l subscribe -d 'Let each device subscribe to this; may be given several times' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l expect-window -d 'When a silence has to be noticed: the name of a broker, or a range [default: by what the broker says it is]' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l probe -d 'Go by what a probe has found: which evidence there is, and when silence is noticed' -r -F
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l dialect -d 'Evidence to listen for; may be given several times' -r -f -a "auto\t'All that brokers and devices publish by themselves, recognised by topic and content'
lmq\t'Notices of Alibaba Cloud\'s MQTT service (connect, disconnect, tcpclean), over any topic'
mosquitto\t'Log of Mosquitto 1.4 to 2.1, as a file or on `$SYS/broker/log/#`'
aedes\t'Client ids of aedes, below `$SYS`'
aws-iot\t'Lifecycle events of AWS IoT Core, below `$aws/events`'
nanomq\t'Client notices of NanoMQ, below `$SYS/brokers`'
emqx\t'Client notices of EMQX 4 to 6, below `$SYS/brokers`'
rmqtt\t'Client notices of RMQTT, below `$SYS/brokers`'
hivemq\t'Event log of HiveMQ, as a file'
flashmq\t'Log of FlashMQ, as a file'
tencent-tdmq\t'Client events of Tencent Cloud\'s TDMQ for MQTT, below `$events`'
connection-state\t'State that Mosquitto\'s plugin `connection-state` keeps retained'
alibaba-iot\t'Device states of Alibaba Cloud\'s IoT Platform (another product than LMQ)'
aliyun-trace\t'Histories of clients that the API of Alibaba Cloud\'s MQTT tells, as a file'
azure-iothub\t'Connection states of Azure IoT Hub, from Event Grid or by routing'
azure-eventgrid\t'Client sessions of Azure Event Grid\'s MQTT broker'
huawei\t'Device states that Huawei IoTDA pushes'
tencent-iothub\t'States of devices of Tencent\'s IoT Hub and IoT Explorer, as a file'
vernemq\t'Calls of VerneMQ\'s webhooks'
rabbitmq\t'Events of RabbitMQ\'s event exchange, 3.8 to 4'
rabbitmq-log\t'Log of RabbitMQ 3.8 to 3.11, as a file'
activemq\t'Advisories of ActiveMQ Classic about connections'
artemis\t'Notifications of ActiveMQ Artemis about sessions'
nats\t'System events of NATS server about clients of MQTT, kept one a line'
emqx-rule\t'Client events that rules of EMQX 4 to 6 or the webhook of 4.x hand on'
nanomq-webhook\t'Calls of NanoMQ\'s webhook'
mochi\t'Hooks of mochi-mqtt, as the program that embeds it writes them'
moquette\t'Interceptors of Moquette, as the program that embeds it writes them'
bifromq\t'Events of BifroMQ, as an event collector of yours writes them'
solace\t'Event log of Solace, as a file; known from its documents alone'
sparkplug\t'Births and deaths of Sparkplug B, nodes and devices'
homeassistant\t'Home Assistant itself, and entities beside their configuration'
zigbee2mqtt\t'Bridge and devices of zigbee2mqtt'
tasmota\t'Tasmota, in both orders of its topics'
shelly1\t'Shelly devices of the first generation'
homie\t'Homie 2 to 5'
frigate\t'Frigate'
theengs\t'Theengs Gateway'
openmqttgateway\t'OpenMQTTGateway'
campbell\t'Campbell Scientific loggers'
shelly2\t'Shelly devices from the second generation on'
esphome\t'ESPHome nodes'
status\t'Retained status that devices keep by birth and will'"
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l dialect-file -d 'File that describes a dialect of your own; may be given several times' -r -F
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l verify-username -d 'User to listen as [default: --username]' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l verify-password-file -d 'Read the password to listen with from this file' -r -F
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l lag-max -d 'Longest hold-up of this process with which its figures are trusted' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l report -d 'Write the report into this file as well, as a web page' -r -F
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l compare -d 'Compare with an earlier run, as `simulate --json` printed it' -r -F
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l bind-address -l source-ip -d 'Connect from this address of the machine; may be given several times' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l in-flight -d 'Connections that are being made at the same time, at most' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l timeout -d 'Longest time that a connection may take' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l profile -d 'Take options from this profile of the configuration file' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -s b -l broker -d 'Where the broker listens' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l instance -d 'Name the broker goes by in stores and output' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l password-file -d 'Read the password from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l auth -d 'What user name and password are made of' -r -f -a "plain\t''
aliyun-signature\t''
aliyun-token\t''
aliyun-device\t''"
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l auth-token-file -d 'Read the tokens for `--auth aliyun-token` from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l aliyun-instance -d 'Id of the instance of Alibaba Cloud\'s MQTT, as in post-cn-0pp12gl' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l mqtt-version -d 'Version of MQTT to speak' -r -f -a "3.1.1\t''
5\t''"
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l cafile -l ca -d 'Believe only the certificate authorities in this PEM file' -r -F
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l cert -d 'Certificate to show to the broker, a PEM file' -r -F
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l key -d 'Private key of the certificate, a PEM file without passphrase' -r -F
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l tls-alpn -l alpn -d 'Application protocol to name in the TLS handshake' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l access-key-id -d 'Id of the access key, or of a device\'s own' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l access-key-secret-file -d 'Read the secret of the access key from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l access-key-token-file -d 'Read the security token of a temporary access key from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -s i -l client-id -d 'Client ids of the devices, a template [default: sim-{run}-{n}]' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -s u -l username -d 'User to connect as, a template like the password' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -s k -l keepalive -d 'Longest silence of a device [default: 5s]' -r
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l json -d 'Print one JSON object'
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l plan -d 'Print who would live when, and connect to nothing'
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l ids-are-mine -d 'Allow client ids without the mark of the run'
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l persistent -d 'Ask the broker to keep a session for each device'
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l no-read -d 'Let devices read nothing after CONNACK'
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l no-will -d 'Leave no will with the broker'
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l no-birth -d 'Say nothing when a device is there'
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l verify -d 'Match every life and death to what the broker says of it, and tell how late'
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l yes-load -d 'Put load on a broker that is neither on this machine nor in a private network'
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l print-config -d 'Print every option with its value and where it comes from, and do nothing'
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l password-stdin -d 'Read the password from standard input'
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -l insecure -d 'Accept any certificate from whoever answers'
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -s q -l quiet -d 'Say nothing on standard error but warnings and errors'
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -s v -l verbose -d 'Say on standard error what is going on inside; twice: in libraries too'
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -f -a "merge" -d 'Joins the reports of the shards of one run'
complete -c presence -n "__fish_presence_using_subcommand simulate; and not __fish_seen_subcommand_from merge help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c presence -n "__fish_presence_using_subcommand simulate; and __fish_seen_subcommand_from merge" -l report -d 'Write the report into this file as well, as a web page' -r -F
complete -c presence -n "__fish_presence_using_subcommand simulate; and __fish_seen_subcommand_from merge" -l compare -d 'Compare with an earlier run, as `simulate --json` printed it' -r -F
complete -c presence -n "__fish_presence_using_subcommand simulate; and __fish_seen_subcommand_from merge" -l json -d 'Print one JSON object a line'
complete -c presence -n "__fish_presence_using_subcommand simulate; and __fish_seen_subcommand_from merge" -s q -l quiet -d 'Say nothing on standard error but warnings and errors'
complete -c presence -n "__fish_presence_using_subcommand simulate; and __fish_seen_subcommand_from merge" -s v -l verbose -d 'Say on standard error what is going on inside; twice: in libraries too'
complete -c presence -n "__fish_presence_using_subcommand simulate; and __fish_seen_subcommand_from merge" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c presence -n "__fish_presence_using_subcommand simulate; and __fish_seen_subcommand_from help" -f -a "merge" -d 'Joins the reports of the shards of one run'
complete -c presence -n "__fish_presence_using_subcommand simulate; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c presence -n "__fish_presence_using_subcommand replay" -l source -d 'Read a topic of RocketMQ or Kafka too, to the end that it has; may be given several times' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l client -d 'Show only clients whose id matches; may be given several times' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l at -d 'Moment to judge at, as RFC 3339 or milliseconds since 1970' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l now -d 'What to take for the present when a plain log is read, as RFC 3339 or ms since 1970' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l timeline -d 'Print when a client was online, when it was not, and when nobody knows' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l what-if -d 'Print where, and for how long, other rules would have been wrong about the same events' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l worst -d 'Rows of a table that begins with the worst; JSON has them all' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l since -d 'Leave out what was before, as RFC 3339 or milliseconds since 1970' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l until -d 'Leave out what was then or later, as RFC 3339 or milliseconds since 1970' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l report -d 'Write a page about all that was read into this file as well' -r -F
complete -c presence -n "__fish_presence_using_subcommand replay" -l redact -d 'Put pseudonyms in the place of ids and addresses, by the key in this file' -r -F
complete -c presence -n "__fish_presence_using_subcommand replay" -l expect -d 'Compare the answer with a file, print how it differs, and end with 1 if it does' -r -F
complete -c presence -n "__fish_presence_using_subcommand replay" -l group -d 'Show only clients whose group matches; may be given several times' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l profile -d 'Take options from this profile of the configuration file' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l dialect -d 'Way of announcing clients to understand; may be given several times' -r -f -a "auto\t'All that brokers and devices publish by themselves, recognised by topic and content'
lmq\t'Notices of Alibaba Cloud\'s MQTT service (connect, disconnect, tcpclean), over any topic'
mosquitto\t'Log of Mosquitto 1.4 to 2.1, as a file or on `$SYS/broker/log/#`'
aedes\t'Client ids of aedes, below `$SYS`'
aws-iot\t'Lifecycle events of AWS IoT Core, below `$aws/events`'
nanomq\t'Client notices of NanoMQ, below `$SYS/brokers`'
emqx\t'Client notices of EMQX 4 to 6, below `$SYS/brokers`'
rmqtt\t'Client notices of RMQTT, below `$SYS/brokers`'
hivemq\t'Event log of HiveMQ, as a file'
flashmq\t'Log of FlashMQ, as a file'
tencent-tdmq\t'Client events of Tencent Cloud\'s TDMQ for MQTT, below `$events`'
connection-state\t'State that Mosquitto\'s plugin `connection-state` keeps retained'
alibaba-iot\t'Device states of Alibaba Cloud\'s IoT Platform (another product than LMQ)'
aliyun-trace\t'Histories of clients that the API of Alibaba Cloud\'s MQTT tells, as a file'
azure-iothub\t'Connection states of Azure IoT Hub, from Event Grid or by routing'
azure-eventgrid\t'Client sessions of Azure Event Grid\'s MQTT broker'
huawei\t'Device states that Huawei IoTDA pushes'
tencent-iothub\t'States of devices of Tencent\'s IoT Hub and IoT Explorer, as a file'
vernemq\t'Calls of VerneMQ\'s webhooks'
rabbitmq\t'Events of RabbitMQ\'s event exchange, 3.8 to 4'
rabbitmq-log\t'Log of RabbitMQ 3.8 to 3.11, as a file'
activemq\t'Advisories of ActiveMQ Classic about connections'
artemis\t'Notifications of ActiveMQ Artemis about sessions'
nats\t'System events of NATS server about clients of MQTT, kept one a line'
emqx-rule\t'Client events that rules of EMQX 4 to 6 or the webhook of 4.x hand on'
nanomq-webhook\t'Calls of NanoMQ\'s webhook'
mochi\t'Hooks of mochi-mqtt, as the program that embeds it writes them'
moquette\t'Interceptors of Moquette, as the program that embeds it writes them'
bifromq\t'Events of BifroMQ, as an event collector of yours writes them'
solace\t'Event log of Solace, as a file; known from its documents alone'
sparkplug\t'Births and deaths of Sparkplug B, nodes and devices'
homeassistant\t'Home Assistant itself, and entities beside their configuration'
zigbee2mqtt\t'Bridge and devices of zigbee2mqtt'
tasmota\t'Tasmota, in both orders of its topics'
shelly1\t'Shelly devices of the first generation'
homie\t'Homie 2 to 5'
frigate\t'Frigate'
theengs\t'Theengs Gateway'
openmqttgateway\t'OpenMQTTGateway'
campbell\t'Campbell Scientific loggers'
shelly2\t'Shelly devices from the second generation on'
esphome\t'ESPHome nodes'
status\t'Retained status that devices keep by birth and will'"
complete -c presence -n "__fish_presence_using_subcommand replay" -l dialect-file -d 'File that describes a dialect of your own; may be given several times' -r -F
complete -c presence -n "__fish_presence_using_subcommand replay" -l topic -d 'Listen here instead of where the dialect says; may be given several times' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l status-topic -d 'Where devices keep their own status, with `{client}` in the place of the client id' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l status-online -d 'Word that means online there; may be given several times' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l status-offline -d 'Word that means offline there; may be given several times' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l status-json -d 'Where the word stands in a status that is JSON, as a JSON pointer such as `/state`' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l time-zone -d 'Zone of local times, such as `Europe/Berlin`, `UTC` or `+02:00`' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l csv-map -d 'Column of a CSV file that holds a part of the notices, such as `client=Device`' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l csv-event -d 'Word in a CSV file that stands for a type of event, such as `tcpclean=close`' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l threads -d 'Threads that read notices at the same time' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l skew -d 'Largest difference assumed between the clocks of two nodes of a broker' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l close-grace -d 'Wait for the transport to end after a client has said goodbye' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l future -d 'How far ahead of our clock a stamp may be and still be believed' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l channels -d 'Channels remembered per client' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l loop -d 'Connects within a time that count as flapping, as COUNT/DURATION' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l shuffle -d 'Let every message come up to so much later, so that some overtake others' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l dup -d 'Deliver this share of the messages twice, as in `5%`' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l drop -d 'Leave this share of the messages out, as in `1%`' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l seed -d 'Seed of the disorder; drawn at random without it, and told' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l tags -d 'Read only messages with one of these tags; `*` stands for all' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l consumer-group -d 'Name of the consumer group to ask as, where rights are given to groups' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l namespace -d 'Instance of the cloud whose topics and groups are meant, as in `MQ_INST_…`' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l sasl -d 'How to say who we are [default: the strongest that the broker has]' -r -f -a "plain\t''
scram-sha-256\t''
scram-sha-512\t''"
complete -c presence -n "__fish_presence_using_subcommand replay" -l speed -d 'How fast, as a factor such as `1x`, `10x` or `0.5x`, or `max`' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l gap-max -d 'Cut pauses of the log that are longer down to this' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l topic-prefix -d 'What stands before every topic' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l publish-topic -d 'Topic of the messages, a template, below the prefix' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l qos -d 'QoS of the messages [default: that of the recording, 1 for plain files]' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l repeat -d 'How often to send all of it; `0` until Ctrl-C' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l timeout -d 'Give up if the first connection, or the last acknowledgement, takes longer' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -s b -l broker -d 'Where the broker listens' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -s u -l username -d 'User to connect as' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l password-file -d 'Read the password from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand replay" -l auth -d 'What user name and password are made of' -r -f -a "plain\t''
aliyun-signature\t''
aliyun-token\t''
aliyun-device\t''"
complete -c presence -n "__fish_presence_using_subcommand replay" -l auth-token-file -d 'Read the tokens for `--auth aliyun-token` from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand replay" -l aliyun-instance -d 'Id of the instance of Alibaba Cloud\'s MQTT, as in post-cn-0pp12gl' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -s i -l client-id -d 'Client id to connect with' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -s k -l keepalive -d 'Longest silence on the connection before it is probed' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l mqtt-version -d 'Version of MQTT to speak' -r -f -a "3.1.1\t''
5\t''"
complete -c presence -n "__fish_presence_using_subcommand replay" -l cafile -l ca -d 'Believe only the certificate authorities in this PEM file' -r -F
complete -c presence -n "__fish_presence_using_subcommand replay" -l cert -d 'Certificate to show to the broker, a PEM file' -r -F
complete -c presence -n "__fish_presence_using_subcommand replay" -l key -d 'Private key of the certificate, a PEM file without passphrase' -r -F
complete -c presence -n "__fish_presence_using_subcommand replay" -l tls-alpn -l alpn -d 'Application protocol to name in the TLS handshake' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l access-key-id -d 'Id of the access key, or of a device\'s own' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l access-key-secret-file -d 'Read the secret of the access key from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand replay" -l access-key-token-file -d 'Read the security token of a temporary access key from a file' -r -F
complete -c presence -n "__fish_presence_using_subcommand replay" -l instance -d 'Name of the broker that plain logs are about' -r
complete -c presence -n "__fish_presence_using_subcommand replay" -l json -d 'Print one JSON object a line'
complete -c presence -n "__fish_presence_using_subcommand replay" -l strict -d 'Fail on the first line that cannot be read'
complete -c presence -n "__fish_presence_using_subcommand replay" -l follow -d 'Go on reading as the last file grows, and show changes as they come'
complete -c presence -n "__fish_presence_using_subcommand replay" -l changes -d 'Print every change of verdict, as it could be known then'
complete -c presence -n "__fish_presence_using_subcommand replay" -l uptime -d 'Print for how long clients were online, and how often that ended'
complete -c presence -n "__fish_presence_using_subcommand replay" -l concurrency -d 'Print how many clients were online at a time'
complete -c presence -n "__fish_presence_using_subcommand replay" -l outages -d 'Print when many clients were lost at once, what they have in common, and how many came back'
complete -c presence -n "__fish_presence_using_subcommand replay" -l anomalies -d 'Print how many clients have an odd history, by anomaly, and some of them'
complete -c presence -n "__fish_presence_using_subcommand replay" -l debounce-advisor -d 'Print how long to wait before an absence is told, so that short ones are not'
complete -c presence -n "__fish_presence_using_subcommand replay" -l csv -d 'Print comma-separated values, below a header'
complete -c presence -n "__fish_presence_using_subcommand replay" -l print-config -d 'Print every option with its value and where it comes from, and do nothing'
complete -c presence -n "__fish_presence_using_subcommand replay" -l publish -d 'Send the messages to a broker, each when it is due, instead of judging them'
complete -c presence -n "__fish_presence_using_subcommand replay" -l retain -d 'Have the broker keep the last message of every topic'
complete -c presence -n "__fish_presence_using_subcommand replay" -l yes-load -d 'Put a broker under load that is neither on this machine nor in a private network'
complete -c presence -n "__fish_presence_using_subcommand replay" -l password-stdin -d 'Read the password from standard input'
complete -c presence -n "__fish_presence_using_subcommand replay" -l insecure -d 'Accept any certificate from whoever answers'
complete -c presence -n "__fish_presence_using_subcommand replay" -s q -l quiet -d 'Say nothing on standard error but warnings and errors'
complete -c presence -n "__fish_presence_using_subcommand replay" -s v -l verbose -d 'Say on standard error what is going on inside; twice: in libraries too'
complete -c presence -n "__fish_presence_using_subcommand replay" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c presence -n "__fish_presence_using_subcommand help; and not __fish_seen_subcommand_from watch check probe demo broker store dialects completions simulate replay help" -f -a "watch" -d 'Shows who comes and goes, as it happens'
complete -c presence -n "__fish_presence_using_subcommand help; and not __fish_seen_subcommand_from watch check probe demo broker store dialects completions simulate replay help" -f -a "check" -d 'Answers whether clients are online, and how that is known'
complete -c presence -n "__fish_presence_using_subcommand help; and not __fish_seen_subcommand_from watch check probe demo broker store dialects completions simulate replay help" -f -a "probe" -d 'Tells which evidence a broker gives of clients, to this account, and how late'
complete -c presence -n "__fish_presence_using_subcommand help; and not __fish_seen_subcommand_from watch check probe demo broker store dialects completions simulate replay help" -f -a "demo" -d 'Shows a small fleet living and dying, and what was heard of it'
complete -c presence -n "__fish_presence_using_subcommand help; and not __fish_seen_subcommand_from watch check probe demo broker store dialects completions simulate replay help" -f -a "broker" -d 'Runs a small MQTT broker that tells who comes and goes'
complete -c presence -n "__fish_presence_using_subcommand help; and not __fish_seen_subcommand_from watch check probe demo broker store dialects completions simulate replay help" -f -a "store" -d 'Looks after what watchers have kept'
complete -c presence -n "__fish_presence_using_subcommand help; and not __fish_seen_subcommand_from watch check probe demo broker store dialects completions simulate replay help" -f -a "dialects" -d 'Lists the ways of announcing clients that are understood'
complete -c presence -n "__fish_presence_using_subcommand help; and not __fish_seen_subcommand_from watch check probe demo broker store dialects completions simulate replay help" -f -a "completions" -d 'Prints the completions for a shell, or the manual page'
complete -c presence -n "__fish_presence_using_subcommand help; and not __fish_seen_subcommand_from watch check probe demo broker store dialects completions simulate replay help" -f -a "simulate" -d 'Lets devices come, live and die at a broker'
complete -c presence -n "__fish_presence_using_subcommand help; and not __fish_seen_subcommand_from watch check probe demo broker store dialects completions simulate replay help" -f -a "replay" -d 'Judges recorded events: recordings, notices, broker logs'
complete -c presence -n "__fish_presence_using_subcommand help; and not __fish_seen_subcommand_from watch check probe demo broker store dialects completions simulate replay help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c presence -n "__fish_presence_using_subcommand help; and __fish_seen_subcommand_from store" -f -a "info" -d 'Shows which brokers a store knows, who listened, and until when'
complete -c presence -n "__fish_presence_using_subcommand help; and __fish_seen_subcommand_from store" -f -a "import" -d 'Joins files into a store: exports, recordings, notices, broker logs'
complete -c presence -n "__fish_presence_using_subcommand help; and __fish_seen_subcommand_from store" -f -a "export" -d 'Prints all that a store knows as JSON Lines, for `store import` and `replay`'
complete -c presence -n "__fish_presence_using_subcommand help; and __fish_seen_subcommand_from store" -f -a "compact" -d 'Gives space that is no longer used back to the disk'
complete -c presence -n "__fish_presence_using_subcommand help; and __fish_seen_subcommand_from store" -f -a "forget-session" -d 'Removes the watcher\'s session from the broker'
complete -c presence -n "__fish_presence_using_subcommand help; and __fish_seen_subcommand_from store" -f -a "forget-queues" -d 'Forgets how far the queues of a source were read'
complete -c presence -n "__fish_presence_using_subcommand help; and __fish_seen_subcommand_from dialects" -f -a "test" -d 'Tells what a dialect of your own makes of a sample, message by message'
complete -c presence -n "__fish_presence_using_subcommand help; and __fish_seen_subcommand_from simulate" -f -a "merge" -d 'Joins the reports of the shards of one run'
