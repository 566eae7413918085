#compdef presence

autoload -U is-at-least

_presence() {
    typeset -A opt_args
    typeset -a _arguments_options
    local ret=1

    if is-at-least 5.2; then
        _arguments_options=(-s -S -C)
    else
        _arguments_options=(-s -C)
    fi

    local context curcontext="$curcontext" state line
    _arguments "${_arguments_options[@]}" : \
'-q[Say nothing on standard error but warnings and errors]' \
'--quiet[Say nothing on standard error but warnings and errors]' \
'*-v[Say on standard error what is going on inside; twice\: in libraries too]' \
'*--verbose[Say on standard error what is going on inside; twice\: in libraries too]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
":: :_presence_commands" \
"*::: :->presence" \
&& ret=0
    case $state in
    (presence)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:presence-command-$line[1]:"
        case $line[1] in
            (watch)
_arguments "${_arguments_options[@]}" : \
'--view=[Show changes as they come, or all clients on the whole screen]:VIEW:((stream\:"One line for each change, above a status line"
table\:"A full-screen table of all clients"))' \
'*--client=[Show only clients whose id matches; may be given several times]:GLOB:_default' \
'*--group=[Show only clients of this group; may be given several times]:GID:_default' \
'*--only=[Show only what is, or becomes, of this state; may be given several times]:STATE:(online closing offline unknown suspect)' \
'(--json)--format=[Print each change by a template, such as '\''{at} {client} {from}->{to} {cause}'\'']:TEMPLATE:_default' \
'--share=[Share the work with all watchers of this group and store]:GROUP:_default' \
'(--join)--shard=[Read the Ith of N parts of the queues of a topic, and leave the others to watchers with the same store]:I/N:_default' \
'--metrics=[Serve figures for Prometheus at this address, as HOST\:PORT or PORT]:ADDRESS:_default' \
'*--metrics-client=[Give clients whose id matches a figure of their own; may be given several times]:ID|GLOB:_default' \
'--record=[Append everything that is heard to a file, for \`presence replay\`]:FILE:_files' \
'--probe=[Listen with the dialects that a probe recommends]:FILE:_files' \
'--store=[File, Redis or PostgreSQL that keeps what is known, or \`memory\` for none]:PLACE:_files' \
'--store-password-file=[Read the password for the Redis or the PostgreSQL from a file]:PATH:_files' \
'--store-cafile=[Believe only these authorities about the Redis or the PostgreSQL, a PEM file]:PATH:_files' \
'--timeout=[Give up if the first connection takes longer]:DURATION:_default' \
'--broker-queue=[Messages that the broker queues for a session that is away, 0 for no limit]:COUNT:_default' \
'--bridge-gaps=[Treat absences up to this long as if nothing had happened]:DURATION:_default' \
'--forget-clients=[Forget clients that are away and were not heard of for this long]:DURATION:_default' \
'--debounce=[Tell a change only once it has lasted this long]:DURATION:_default' \
'--exec=[Run a command for each change]:COMMAND:_default' \
'*--exec-on=[Which changes the command is run for]:WHAT:((change\:"Every change that is shown"
online\:"A client is online, also by a new connection"
closing\:"A client said goodbye"
offline\:"A client is offline"
unknown\:"Nobody can tell any more"
suspect\:"Evidence disagrees"
flapping\:"A client begins to come and go too often"
takeover-loop\:"Two devices begin to throw each other out"))' \
'--exec-parallel=[Commands that may run at the same time]:COUNT:_default' \
'--exec-timeout=[End a command that runs for longer, and all it has started]:DURATION:_default' \
'--exec-queue=[Changes that may wait for a command]:COUNT:_default' \
'--webhook=[Post changes as JSON to this URL]:URL:_default' \
'*--webhook-on=[Which changes are posted]:WHAT:((change\:"Every change that is shown"
online\:"A client is online, also by a new connection"
closing\:"A client said goodbye"
offline\:"A client is offline"
unknown\:"Nobody can tell any more"
suspect\:"Evidence disagrees"
flapping\:"A client begins to come and go too often"
takeover-loop\:"Two devices begin to throw each other out"))' \
'--webhook-secret-file=[Sign what is posted with the secret in this file]:PATH:_files' \
'--webhook-cafile=[Believe only these certificate authorities for the webhook]:PATH:_files' \
'--webhook-timeout=[Give up one attempt to post after this long]:DURATION:_default' \
'--webhook-queue=[Changes that may wait to be posted]:COUNT:_default' \
'*--fail-on=[End with exit code 1 as soon as this happens]:WHAT:_default' \
'--for=[End after this time, with exit code 0]:DURATION:_default' \
'--count=[End after this many changes, with exit code 0]:COUNT:_default' \
'--profile=[Take options from this profile of the configuration file]:NAME:_default' \
'*-b+[Where the broker listens]:URL:_default' \
'*--broker=[Where the broker listens]:URL:_default' \
'--instance=[Name the broker goes by in stores and output]:NAME:_default' \
'-u+[User to connect as]:NAME:_default' \
'--username=[User to connect as]:NAME:_default' \
'(--password-stdin)--password-file=[Read the password from a file]:PATH:_files' \
'--auth=[What user name and password are made of]:WAY:(plain aliyun-signature aliyun-token aliyun-device)' \
'--auth-token-file=[Read the tokens for \`--auth aliyun-token\` from a file]:PATH:_files' \
'--aliyun-instance=[Id of the instance of Alibaba Cloud'\''s MQTT, as in post-cn-0pp12gl]:ID:_default' \
'-i+[Client id to connect with]:ID:_default' \
'--client-id=[Client id to connect with]:ID:_default' \
'-k+[Longest silence on the connection before it is probed]:SECONDS:_default' \
'--keepalive=[Longest silence on the connection before it is probed]:SECONDS:_default' \
'--mqtt-version=[Version of MQTT to speak]:VERSION:(3.1.1 5)' \
'--cafile=[Believe only the certificate authorities in this PEM file]:PATH:_files' \
'--ca=[Believe only the certificate authorities in this PEM file]:PATH:_files' \
'--cert=[Certificate to show to the broker, a PEM file]:PATH:_files' \
'--key=[Private key of the certificate, a PEM file without passphrase]:PATH:_files' \
'--tls-alpn=[Application protocol to name in the TLS handshake]:PROTOCOL:_default' \
'--alpn=[Application protocol to name in the TLS handshake]:PROTOCOL:_default' \
'--access-key-id=[Id of the access key, or of a device'\''s own]:ID:_default' \
'--access-key-secret-file=[Read the secret of the access key from a file]:PATH:_files' \
'--access-key-token-file=[Read the security token of a temporary access key from a file]:PATH:_files' \
'*--source=[Listen where a broker tells it beside MQTT; may be given several times]:URL:_default' \
'--listen-webhook=[Take in what brokers post to this address, as HOST\:PORT or PORT]:ADDRESS:_default' \
'--listen-webhook-secret-file=[Take in only what comes with the secret in this file]:PATH:_files' \
'--since=[Where to begin in a queue of which nothing was read yet\: \`earliest\`, \`latest\`, \`2h\`, or a moment]:WHEN:_default' \
'--until=[Leave out what is stored in queues then or later, and end with it, as RFC 3339 or ms since 1970]:TIME:_default' \
'*--tags=[Read only messages with one of these tags; \`*\` stands for all]:TAGS:_default' \
'--consumer-group=[Name of the consumer group to ask as, where rights are given to groups]:GROUP:_default' \
'--namespace=[Instance of the cloud whose topics and groups are meant, as in \`MQ_INST_…\`]:ID:_default' \
'--sasl=[How to say who we are \[default\: the strongest that the broker has\]]:MECHANISM:(plain scram-sha-256 scram-sha-512)' \
'*--api=[API to ask who is connected, such as \`emqx5+http\://HOST\`]:URL:_default' \
'--api-user=[User name, application id or access key to log in to the API with]:NAME:_default' \
'--api-password-file=[Read the password, secret or secret key of the API from a file]:PATH:_files' \
'--api-token-file=[Read the token of the API from a file]:PATH:_files' \
'--api-cafile=[Believe only the certificate authorities in this PEM file, for APIs]:PATH:_files' \
'*--dialect=[Way of announcing clients to understand; may be given several times]:NAME:((auto\:"All that brokers and devices publish by themselves, recognised by topic and content"
lmq\:"Notices of Alibaba Cloud'\''s MQTT service (connect, disconnect, tcpclean), over any topic"
mosquitto\:"Log of Mosquitto 1.4 to 2.1, as a file or on \`\$SYS/broker/log/#\`"
aedes\:"Client ids of aedes, below \`\$SYS\`"
aws-iot\:"Lifecycle events of AWS IoT Core, below \`\$aws/events\`"
nanomq\:"Client notices of NanoMQ, below \`\$SYS/brokers\`"
emqx\:"Client notices of EMQX 4 to 6, below \`\$SYS/brokers\`"
rmqtt\:"Client notices of RMQTT, below \`\$SYS/brokers\`"
hivemq\:"Event log of HiveMQ, as a file"
flashmq\:"Log of FlashMQ, as a file"
tencent-tdmq\:"Client events of Tencent Cloud'\''s TDMQ for MQTT, below \`\$events\`"
connection-state\:"State that Mosquitto'\''s plugin \`connection-state\` keeps retained"
alibaba-iot\:"Device states of Alibaba Cloud'\''s IoT Platform (another product than LMQ)"
aliyun-trace\:"Histories of clients that the API of Alibaba Cloud'\''s MQTT tells, as a file"
azure-iothub\:"Connection states of Azure IoT Hub, from Event Grid or by routing"
azure-eventgrid\:"Client sessions of Azure Event Grid'\''s MQTT broker"
huawei\:"Device states that Huawei IoTDA pushes"
tencent-iothub\:"States of devices of Tencent'\''s IoT Hub and IoT Explorer, as a file"
vernemq\:"Calls of VerneMQ'\''s webhooks"
rabbitmq\:"Events of RabbitMQ'\''s event exchange, 3.8 to 4"
rabbitmq-log\:"Log of RabbitMQ 3.8 to 3.11, as a file"
activemq\:"Advisories of ActiveMQ Classic about connections"
artemis\:"Notifications of ActiveMQ Artemis about sessions"
nats\:"System events of NATS server about clients of MQTT, kept one a line"
emqx-rule\:"Client events that rules of EMQX 4 to 6 or the webhook of 4.x hand on"
nanomq-webhook\:"Calls of NanoMQ'\''s webhook"
mochi\:"Hooks of mochi-mqtt, as the program that embeds it writes them"
moquette\:"Interceptors of Moquette, as the program that embeds it writes them"
bifromq\:"Events of BifroMQ, as an event collector of yours writes them"
solace\:"Event log of Solace, as a file; known from its documents alone"
sparkplug\:"Births and deaths of Sparkplug B, nodes and devices"
homeassistant\:"Home Assistant itself, and entities beside their configuration"
zigbee2mqtt\:"Bridge and devices of zigbee2mqtt"
tasmota\:"Tasmota, in both orders of its topics"
shelly1\:"Shelly devices of the first generation"
homie\:"Homie 2 to 5"
frigate\:"Frigate"
theengs\:"Theengs Gateway"
openmqttgateway\:"OpenMQTTGateway"
campbell\:"Campbell Scientific loggers"
shelly2\:"Shelly devices from the second generation on"
esphome\:"ESPHome nodes"
status\:"Retained status that devices keep by birth and will"))' \
'*--dialect-file=[File that describes a dialect of your own; may be given several times]:FILE:_files' \
'*--topic=[Listen here instead of where the dialect says; may be given several times]:FILTER:_default' \
'--status-topic=[Where devices keep their own status, with \`{client}\` in the place of the client id]:TEMPLATE:_default' \
'*--status-online=[Word that means online there; may be given several times]:WORD:_default' \
'*--status-offline=[Word that means offline there; may be given several times]:WORD:_default' \
'--status-json=[Where the word stands in a status that is JSON, as a JSON pointer such as \`/state\`]:POINTER:_default' \
'--time-zone=[Zone of local times, such as \`Europe/Berlin\`, \`UTC\` or \`+02\:00\`]:ZONE:_default' \
'--skew=[Largest difference assumed between the clocks of two nodes of a broker]:DURATION:_default' \
'--close-grace=[Wait for the transport to end after a client has said goodbye]:DURATION:_default' \
'--future=[How far ahead of our clock a stamp may be and still be believed]:DURATION:_default' \
'--channels=[Channels remembered per client]:COUNT:_default' \
'--loop=[Connects within a time that count as flapping, as COUNT/DURATION]:COUNT/DURATION:_default' \
'--anomalies[Show only clients whose history is odd]' \
'--messages[Show every message of a queue too, before what it changes]' \
'--json[Print one JSON object a line]' \
'--join[Read the queues of a topic that the other members of \`--consumer-group\` leave to us]' \
'--metrics-public[Let other machines fetch the figures]' \
'--clean[Leave no session behind at the broker]' \
'--print-config[Print every option with its value and where it comes from, and do nothing]' \
'--password-stdin[Read the password from standard input]' \
'--insecure[Accept any certificate from whoever answers]' \
'--may-take-messages[Read queues from which each message goes to one reader only]' \
'--api-insecure[Accept any certificate from the API]' \
'-q[Say nothing on standard error but warnings and errors]' \
'--quiet[Say nothing on standard error but warnings and errors]' \
'*-v[Say on standard error what is going on inside; twice\: in libraries too]' \
'*--verbose[Say on standard error what is going on inside; twice\: in libraries too]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
&& ret=0
;;
(check)
_arguments "${_arguments_options[@]}" : \
'--fleet=[Read more client ids from a file; \`-\` is standard input]:FILE:_default' \
'--fleet-format=[What that file is; without it, what its name ends in says]:FORMAT:((plain\:"One id a line"
csv\:"A table whose first row names its columns"
json\:"Texts or objects, in a list or one a line, or what an API of a broker lists"))' \
'--fleet-column=[Column or member of it that holds the client id]:NAME:_default' \
'*--match=[Ask about the clients of the store whose ids match; may be given several times]:GLOB:_default' \
'(--wait --explain --nagios --max-offline)--reconcile=[Compare what the store says with what the broker lists, read from a file; \`-\` is standard input]:FILE:_default' \
'*--evidence=[Evidence to gather]:SOURCE:((store\:"What a watcher has kept"
retained\:"The status that the broker keeps retained for each client"
listen\:"What the broker says within the timeout"
api\:"What the APIs answer that \`--api\` names"
dynsec\:"What Mosquitto'\''s dynamic security says of the account that is tied to the client id"))' \
'--probe=[Listen with the dialects that a probe recommends]:FILE:_files' \
'--timeout=[Longest time that gathering evidence or waiting may take \[default\: 5s, more where an API needs it, with --wait 2m\]]:DURATION:_default' \
'--wait=[Wait until all of them are online, or all are offline]:STATE:(online offline)' \
'--stable=[How long it must have been so without a break]:DURATION:_default' \
'--max-offline=[So many may be not online, as a number or a share of all (\`5%\`)]:N|P%:_default' \
'--profile=[Take options from this profile of the configuration file]:NAME:_default' \
'--store=[File, Redis or PostgreSQL that keeps what is known, or \`memory\` for none]:PLACE:_files' \
'--store-password-file=[Read the password for the Redis or the PostgreSQL from a file]:PATH:_files' \
'--store-cafile=[Believe only these authorities about the Redis or the PostgreSQL, a PEM file]:PATH:_files' \
'*-b+[Where the broker listens]:URL:_default' \
'*--broker=[Where the broker listens]:URL:_default' \
'--instance=[Name the broker goes by in stores and output]:NAME:_default' \
'-u+[User to connect as]:NAME:_default' \
'--username=[User to connect as]:NAME:_default' \
'(--password-stdin)--password-file=[Read the password from a file]:PATH:_files' \
'--auth=[What user name and password are made of]:WAY:(plain aliyun-signature aliyun-token aliyun-device)' \
'--auth-token-file=[Read the tokens for \`--auth aliyun-token\` from a file]:PATH:_files' \
'--aliyun-instance=[Id of the instance of Alibaba Cloud'\''s MQTT, as in post-cn-0pp12gl]:ID:_default' \
'-i+[Client id to connect with]:ID:_default' \
'--client-id=[Client id to connect with]:ID:_default' \
'-k+[Longest silence on the connection before it is probed]:SECONDS:_default' \
'--keepalive=[Longest silence on the connection before it is probed]:SECONDS:_default' \
'--mqtt-version=[Version of MQTT to speak]:VERSION:(3.1.1 5)' \
'--cafile=[Believe only the certificate authorities in this PEM file]:PATH:_files' \
'--ca=[Believe only the certificate authorities in this PEM file]:PATH:_files' \
'--cert=[Certificate to show to the broker, a PEM file]:PATH:_files' \
'--key=[Private key of the certificate, a PEM file without passphrase]:PATH:_files' \
'--tls-alpn=[Application protocol to name in the TLS handshake]:PROTOCOL:_default' \
'--alpn=[Application protocol to name in the TLS handshake]:PROTOCOL:_default' \
'--access-key-id=[Id of the access key, or of a device'\''s own]:ID:_default' \
'--access-key-secret-file=[Read the secret of the access key from a file]:PATH:_files' \
'--access-key-token-file=[Read the security token of a temporary access key from a file]:PATH:_files' \
'*--api=[API to ask who is connected, such as \`emqx5+http\://HOST\`]:URL:_default' \
'--api-user=[User name, application id or access key to log in to the API with]:NAME:_default' \
'--api-password-file=[Read the password, secret or secret key of the API from a file]:PATH:_files' \
'--api-token-file=[Read the token of the API from a file]:PATH:_files' \
'--api-cafile=[Believe only the certificate authorities in this PEM file, for APIs]:PATH:_files' \
'*--dialect=[Way of announcing clients to understand; may be given several times]:NAME:((auto\:"All that brokers and devices publish by themselves, recognised by topic and content"
lmq\:"Notices of Alibaba Cloud'\''s MQTT service (connect, disconnect, tcpclean), over any topic"
mosquitto\:"Log of Mosquitto 1.4 to 2.1, as a file or on \`\$SYS/broker/log/#\`"
aedes\:"Client ids of aedes, below \`\$SYS\`"
aws-iot\:"Lifecycle events of AWS IoT Core, below \`\$aws/events\`"
nanomq\:"Client notices of NanoMQ, below \`\$SYS/brokers\`"
emqx\:"Client notices of EMQX 4 to 6, below \`\$SYS/brokers\`"
rmqtt\:"Client notices of RMQTT, below \`\$SYS/brokers\`"
hivemq\:"Event log of HiveMQ, as a file"
flashmq\:"Log of FlashMQ, as a file"
tencent-tdmq\:"Client events of Tencent Cloud'\''s TDMQ for MQTT, below \`\$events\`"
connection-state\:"State that Mosquitto'\''s plugin \`connection-state\` keeps retained"
alibaba-iot\:"Device states of Alibaba Cloud'\''s IoT Platform (another product than LMQ)"
aliyun-trace\:"Histories of clients that the API of Alibaba Cloud'\''s MQTT tells, as a file"
azure-iothub\:"Connection states of Azure IoT Hub, from Event Grid or by routing"
azure-eventgrid\:"Client sessions of Azure Event Grid'\''s MQTT broker"
huawei\:"Device states that Huawei IoTDA pushes"
tencent-iothub\:"States of devices of Tencent'\''s IoT Hub and IoT Explorer, as a file"
vernemq\:"Calls of VerneMQ'\''s webhooks"
rabbitmq\:"Events of RabbitMQ'\''s event exchange, 3.8 to 4"
rabbitmq-log\:"Log of RabbitMQ 3.8 to 3.11, as a file"
activemq\:"Advisories of ActiveMQ Classic about connections"
artemis\:"Notifications of ActiveMQ Artemis about sessions"
nats\:"System events of NATS server about clients of MQTT, kept one a line"
emqx-rule\:"Client events that rules of EMQX 4 to 6 or the webhook of 4.x hand on"
nanomq-webhook\:"Calls of NanoMQ'\''s webhook"
mochi\:"Hooks of mochi-mqtt, as the program that embeds it writes them"
moquette\:"Interceptors of Moquette, as the program that embeds it writes them"
bifromq\:"Events of BifroMQ, as an event collector of yours writes them"
solace\:"Event log of Solace, as a file; known from its documents alone"
sparkplug\:"Births and deaths of Sparkplug B, nodes and devices"
homeassistant\:"Home Assistant itself, and entities beside their configuration"
zigbee2mqtt\:"Bridge and devices of zigbee2mqtt"
tasmota\:"Tasmota, in both orders of its topics"
shelly1\:"Shelly devices of the first generation"
homie\:"Homie 2 to 5"
frigate\:"Frigate"
theengs\:"Theengs Gateway"
openmqttgateway\:"OpenMQTTGateway"
campbell\:"Campbell Scientific loggers"
shelly2\:"Shelly devices from the second generation on"
esphome\:"ESPHome nodes"
status\:"Retained status that devices keep by birth and will"))' \
'*--dialect-file=[File that describes a dialect of your own; may be given several times]:FILE:_files' \
'*--topic=[Listen here instead of where the dialect says; may be given several times]:FILTER:_default' \
'--status-topic=[Where devices keep their own status, with \`{client}\` in the place of the client id]:TEMPLATE:_default' \
'*--status-online=[Word that means online there; may be given several times]:WORD:_default' \
'*--status-offline=[Word that means offline there; may be given several times]:WORD:_default' \
'--status-json=[Where the word stands in a status that is JSON, as a JSON pointer such as \`/state\`]:POINTER:_default' \
'--time-zone=[Zone of local times, such as \`Europe/Berlin\`, \`UTC\` or \`+02\:00\`]:ZONE:_default' \
'--skew=[Largest difference assumed between the clocks of two nodes of a broker]:DURATION:_default' \
'--close-grace=[Wait for the transport to end after a client has said goodbye]:DURATION:_default' \
'--future=[How far ahead of our clock a stamp may be and still be believed]:DURATION:_default' \
'--channels=[Channels remembered per client]:COUNT:_default' \
'--loop=[Connects within a time that count as flapping, as COUNT/DURATION]:COUNT/DURATION:_default' \
'--fresh[Ask every source, even where the store already knows]' \
'--explain[Show the evidence of every voice, and what decided]' \
'--json[Print one JSON object a line]' \
'(--json --explain)--nagios[Answer as a plugin of Nagios does, with performance data]' \
'--print-config[Print every option with its value and where it comes from, and do nothing]' \
'--password-stdin[Read the password from standard input]' \
'--insecure[Accept any certificate from whoever answers]' \
'--api-insecure[Accept any certificate from the API]' \
'-q[Say nothing on standard error but warnings and errors]' \
'--quiet[Say nothing on standard error but warnings and errors]' \
'*-v[Say on standard error what is going on inside; twice\: in libraries too]' \
'*--verbose[Say on standard error what is going on inside; twice\: in libraries too]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::ids -- Client ids to ask about:_default' \
&& ret=0
;;
(probe)
_arguments "${_arguments_options[@]}" : \
'--id-prefix=[What the ids of the clients begin with, where the broker or the account demands it]:TEXT:_default' \
'--timeout=[Longest time that a step may take]:DURATION:_default' \
'--profile=[Take options from this profile of the configuration file]:NAME:_default' \
'*-b+[Where the broker listens]:URL:_default' \
'*--broker=[Where the broker listens]:URL:_default' \
'--instance=[Name the broker goes by in stores and output]:NAME:_default' \
'-u+[User to connect as]:NAME:_default' \
'--username=[User to connect as]:NAME:_default' \
'(--password-stdin)--password-file=[Read the password from a file]:PATH:_files' \
'--auth=[What user name and password are made of]:WAY:(plain aliyun-signature aliyun-token aliyun-device)' \
'--auth-token-file=[Read the tokens for \`--auth aliyun-token\` from a file]:PATH:_files' \
'--aliyun-instance=[Id of the instance of Alibaba Cloud'\''s MQTT, as in post-cn-0pp12gl]:ID:_default' \
'-i+[Client id to connect with]:ID:_default' \
'--client-id=[Client id to connect with]:ID:_default' \
'-k+[Longest silence on the connection before it is probed]:SECONDS:_default' \
'--keepalive=[Longest silence on the connection before it is probed]:SECONDS:_default' \
'--mqtt-version=[Version of MQTT to speak]:VERSION:(3.1.1 5)' \
'--cafile=[Believe only the certificate authorities in this PEM file]:PATH:_files' \
'--ca=[Believe only the certificate authorities in this PEM file]:PATH:_files' \
'--cert=[Certificate to show to the broker, a PEM file]:PATH:_files' \
'--key=[Private key of the certificate, a PEM file without passphrase]:PATH:_files' \
'--tls-alpn=[Application protocol to name in the TLS handshake]:PROTOCOL:_default' \
'--alpn=[Application protocol to name in the TLS handshake]:PROTOCOL:_default' \
'--access-key-id=[Id of the access key, or of a device'\''s own]:ID:_default' \
'--access-key-secret-file=[Read the secret of the access key from a file]:PATH:_files' \
'--access-key-token-file=[Read the security token of a temporary access key from a file]:PATH:_files' \
'*--dialect=[Way of announcing clients to try; may be given several times]:NAME:((auto\:"All that brokers and devices publish by themselves, recognised by topic and content"
lmq\:"Notices of Alibaba Cloud'\''s MQTT service (connect, disconnect, tcpclean), over any topic"
mosquitto\:"Log of Mosquitto 1.4 to 2.1, as a file or on \`\$SYS/broker/log/#\`"
aedes\:"Client ids of aedes, below \`\$SYS\`"
aws-iot\:"Lifecycle events of AWS IoT Core, below \`\$aws/events\`"
nanomq\:"Client notices of NanoMQ, below \`\$SYS/brokers\`"
emqx\:"Client notices of EMQX 4 to 6, below \`\$SYS/brokers\`"
rmqtt\:"Client notices of RMQTT, below \`\$SYS/brokers\`"
hivemq\:"Event log of HiveMQ, as a file"
flashmq\:"Log of FlashMQ, as a file"
tencent-tdmq\:"Client events of Tencent Cloud'\''s TDMQ for MQTT, below \`\$events\`"
connection-state\:"State that Mosquitto'\''s plugin \`connection-state\` keeps retained"
alibaba-iot\:"Device states of Alibaba Cloud'\''s IoT Platform (another product than LMQ)"
aliyun-trace\:"Histories of clients that the API of Alibaba Cloud'\''s MQTT tells, as a file"
azure-iothub\:"Connection states of Azure IoT Hub, from Event Grid or by routing"
azure-eventgrid\:"Client sessions of Azure Event Grid'\''s MQTT broker"
huawei\:"Device states that Huawei IoTDA pushes"
tencent-iothub\:"States of devices of Tencent'\''s IoT Hub and IoT Explorer, as a file"
vernemq\:"Calls of VerneMQ'\''s webhooks"
rabbitmq\:"Events of RabbitMQ'\''s event exchange, 3.8 to 4"
rabbitmq-log\:"Log of RabbitMQ 3.8 to 3.11, as a file"
activemq\:"Advisories of ActiveMQ Classic about connections"
artemis\:"Notifications of ActiveMQ Artemis about sessions"
nats\:"System events of NATS server about clients of MQTT, kept one a line"
emqx-rule\:"Client events that rules of EMQX 4 to 6 or the webhook of 4.x hand on"
nanomq-webhook\:"Calls of NanoMQ'\''s webhook"
mochi\:"Hooks of mochi-mqtt, as the program that embeds it writes them"
moquette\:"Interceptors of Moquette, as the program that embeds it writes them"
bifromq\:"Events of BifroMQ, as an event collector of yours writes them"
solace\:"Event log of Solace, as a file; known from its documents alone"
sparkplug\:"Births and deaths of Sparkplug B, nodes and devices"
homeassistant\:"Home Assistant itself, and entities beside their configuration"
zigbee2mqtt\:"Bridge and devices of zigbee2mqtt"
tasmota\:"Tasmota, in both orders of its topics"
shelly1\:"Shelly devices of the first generation"
homie\:"Homie 2 to 5"
frigate\:"Frigate"
theengs\:"Theengs Gateway"
openmqttgateway\:"OpenMQTTGateway"
campbell\:"Campbell Scientific loggers"
shelly2\:"Shelly devices from the second generation on"
esphome\:"ESPHome nodes"
status\:"Retained status that devices keep by birth and will"))' \
'*--dialect-file=[File that describes a dialect of your own; may be given several times]:FILE:_files' \
'--status-topic=[Where the clients keep their status, with \`{client}\` in the place of the client id]:TEMPLATE:_default' \
'--no-silence[Leave out the clients that fall silent, which take the longest]' \
'--json[Print one JSON object]' \
'--print-config[Print every option with its value and where it comes from, and do nothing]' \
'--password-stdin[Read the password from standard input]' \
'--insecure[Accept any certificate from whoever answers]' \
'-q[Say nothing on standard error but warnings and errors]' \
'--quiet[Say nothing on standard error but warnings and errors]' \
'*-v[Say on standard error what is going on inside; twice\: in libraries too]' \
'*--verbose[Say on standard error what is going on inside; twice\: in libraries too]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
&& ret=0
;;
(demo)
_arguments "${_arguments_options[@]}" : \
'-q[Say nothing on standard error but warnings and errors]' \
'--quiet[Say nothing on standard error but warnings and errors]' \
'*-v[Say on standard error what is going on inside; twice\: in libraries too]' \
'*--verbose[Say on standard error what is going on inside; twice\: in libraries too]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
&& ret=0
;;
(broker)
_arguments "${_arguments_options[@]}" : \
'*--listen=[Address to listen on; may be given several times]:ADDRESS:_default' \
'--password-file=[Let in only users in this file, lines \`user\:password\`]:PATH:_files' \
'--notice-topic=[Topic of the notices; \`{client}\` stands for the client id]:TOPIC:_default' \
'--rocketmq=[Send each notice to a topic of RocketMQ too, as Alibaba'\''s MQTT service does]:URL:_default' \
'--connections-max=[Clients that may be connected at the same time]:COUNT:_default' \
'*--fault=[Make the notices lie; may be given several times]:FAULT:_default' \
'--fault-seed=[Seed of the chance in \`--fault drop-notice\`]:NUMBER:_default' \
'--access-key-id=[Id of the access key, or of a device'\''s own]:ID:_default' \
'--access-key-secret-file=[Read the secret of the access key from a file]:PATH:_files' \
'--access-key-token-file=[Read the security token of a temporary access key from a file]:PATH:_files' \
'-q[Say nothing on standard error but warnings and errors]' \
'--quiet[Say nothing on standard error but warnings and errors]' \
'*-v[Say on standard error what is going on inside; twice\: in libraries too]' \
'*--verbose[Say on standard error what is going on inside; twice\: in libraries too]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
&& ret=0
;;
(store)
_arguments "${_arguments_options[@]}" : \
'-q[Say nothing on standard error but warnings and errors]' \
'--quiet[Say nothing on standard error but warnings and errors]' \
'*-v[Say on standard error what is going on inside; twice\: in libraries too]' \
'*--verbose[Say on standard error what is going on inside; twice\: in libraries too]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
":: :_presence__subcmd__store_commands" \
"*::: :->store" \
&& ret=0

    case $state in
    (store)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:presence-store-command-$line[1]:"
        case $line[1] in
            (info)
_arguments "${_arguments_options[@]}" : \
'--profile=[Take options from this profile of the configuration file]:NAME:_default' \
'--store=[File, Redis or PostgreSQL that keeps what is known, or \`memory\` for none]:PLACE:_files' \
'--store-password-file=[Read the password for the Redis or the PostgreSQL from a file]:PATH:_files' \
'--store-cafile=[Believe only these authorities about the Redis or the PostgreSQL, a PEM file]:PATH:_files' \
'--json[Print one JSON object a line]' \
'--print-config[Print every option with its value and where it comes from, and do nothing]' \
'-q[Say nothing on standard error but warnings and errors]' \
'--quiet[Say nothing on standard error but warnings and errors]' \
'*-v[Say on standard error what is going on inside; twice\: in libraries too]' \
'*--verbose[Say on standard error what is going on inside; twice\: in libraries too]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
&& ret=0
;;
(import)
_arguments "${_arguments_options[@]}" : \
'--instance=[Name of the broker that plain logs are about]:NAME:_default' \
'--profile=[Take options from this profile of the configuration file]:NAME:_default' \
'--store=[File, Redis or PostgreSQL that keeps what is known, or \`memory\` for none]:PLACE:_files' \
'--store-password-file=[Read the password for the Redis or the PostgreSQL from a file]:PATH:_files' \
'--store-cafile=[Believe only these authorities about the Redis or the PostgreSQL, a PEM file]:PATH:_files' \
'*--dialect=[Way of announcing clients to understand; may be given several times]:NAME:((auto\:"All that brokers and devices publish by themselves, recognised by topic and content"
lmq\:"Notices of Alibaba Cloud'\''s MQTT service (connect, disconnect, tcpclean), over any topic"
mosquitto\:"Log of Mosquitto 1.4 to 2.1, as a file or on \`\$SYS/broker/log/#\`"
aedes\:"Client ids of aedes, below \`\$SYS\`"
aws-iot\:"Lifecycle events of AWS IoT Core, below \`\$aws/events\`"
nanomq\:"Client notices of NanoMQ, below \`\$SYS/brokers\`"
emqx\:"Client notices of EMQX 4 to 6, below \`\$SYS/brokers\`"
rmqtt\:"Client notices of RMQTT, below \`\$SYS/brokers\`"
hivemq\:"Event log of HiveMQ, as a file"
flashmq\:"Log of FlashMQ, as a file"
tencent-tdmq\:"Client events of Tencent Cloud'\''s TDMQ for MQTT, below \`\$events\`"
connection-state\:"State that Mosquitto'\''s plugin \`connection-state\` keeps retained"
alibaba-iot\:"Device states of Alibaba Cloud'\''s IoT Platform (another product than LMQ)"
aliyun-trace\:"Histories of clients that the API of Alibaba Cloud'\''s MQTT tells, as a file"
azure-iothub\:"Connection states of Azure IoT Hub, from Event Grid or by routing"
azure-eventgrid\:"Client sessions of Azure Event Grid'\''s MQTT broker"
huawei\:"Device states that Huawei IoTDA pushes"
tencent-iothub\:"States of devices of Tencent'\''s IoT Hub and IoT Explorer, as a file"
vernemq\:"Calls of VerneMQ'\''s webhooks"
rabbitmq\:"Events of RabbitMQ'\''s event exchange, 3.8 to 4"
rabbitmq-log\:"Log of RabbitMQ 3.8 to 3.11, as a file"
activemq\:"Advisories of ActiveMQ Classic about connections"
artemis\:"Notifications of ActiveMQ Artemis about sessions"
nats\:"System events of NATS server about clients of MQTT, kept one a line"
emqx-rule\:"Client events that rules of EMQX 4 to 6 or the webhook of 4.x hand on"
nanomq-webhook\:"Calls of NanoMQ'\''s webhook"
mochi\:"Hooks of mochi-mqtt, as the program that embeds it writes them"
moquette\:"Interceptors of Moquette, as the program that embeds it writes them"
bifromq\:"Events of BifroMQ, as an event collector of yours writes them"
solace\:"Event log of Solace, as a file; known from its documents alone"
sparkplug\:"Births and deaths of Sparkplug B, nodes and devices"
homeassistant\:"Home Assistant itself, and entities beside their configuration"
zigbee2mqtt\:"Bridge and devices of zigbee2mqtt"
tasmota\:"Tasmota, in both orders of its topics"
shelly1\:"Shelly devices of the first generation"
homie\:"Homie 2 to 5"
frigate\:"Frigate"
theengs\:"Theengs Gateway"
openmqttgateway\:"OpenMQTTGateway"
campbell\:"Campbell Scientific loggers"
shelly2\:"Shelly devices from the second generation on"
esphome\:"ESPHome nodes"
status\:"Retained status that devices keep by birth and will"))' \
'*--dialect-file=[File that describes a dialect of your own; may be given several times]:FILE:_files' \
'*--topic=[Listen here instead of where the dialect says; may be given several times]:FILTER:_default' \
'--status-topic=[Where devices keep their own status, with \`{client}\` in the place of the client id]:TEMPLATE:_default' \
'*--status-online=[Word that means online there; may be given several times]:WORD:_default' \
'*--status-offline=[Word that means offline there; may be given several times]:WORD:_default' \
'--status-json=[Where the word stands in a status that is JSON, as a JSON pointer such as \`/state\`]:POINTER:_default' \
'--time-zone=[Zone of local times, such as \`Europe/Berlin\`, \`UTC\` or \`+02\:00\`]:ZONE:_default' \
'*--csv-map=[Column of a CSV file that holds a part of the notices, such as \`client=Device\`]:PART=COLUMN:_default' \
'*--csv-event=[Word in a CSV file that stands for a type of event, such as \`tcpclean=close\`]:TYPE=WORD:_default' \
'--threads=[Threads that read notices at the same time]:COUNT:_default' \
'--skew=[Largest difference assumed between the clocks of two nodes of a broker]:DURATION:_default' \
'--close-grace=[Wait for the transport to end after a client has said goodbye]:DURATION:_default' \
'--future=[How far ahead of our clock a stamp may be and still be believed]:DURATION:_default' \
'--channels=[Channels remembered per client]:COUNT:_default' \
'--loop=[Connects within a time that count as flapping, as COUNT/DURATION]:COUNT/DURATION:_default' \
'--strict[Fail on the first line that cannot be read, and import nothing]' \
'--print-config[Print every option with its value and where it comes from, and do nothing]' \
'-q[Say nothing on standard error but warnings and errors]' \
'--quiet[Say nothing on standard error but warnings and errors]' \
'*-v[Say on standard error what is going on inside; twice\: in libraries too]' \
'*--verbose[Say on standard error what is going on inside; twice\: in libraries too]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::files -- Files, folders or quoted patterns to read; `-` is standard input:_files' \
&& ret=0
;;
(export)
_arguments "${_arguments_options[@]}" : \
'--instance=[Only this broker]:NAME:_default' \
'--profile=[Take options from this profile of the configuration file]:NAME:_default' \
'--store=[File, Redis or PostgreSQL that keeps what is known, or \`memory\` for none]:PLACE:_files' \
'--store-password-file=[Read the password for the Redis or the PostgreSQL from a file]:PATH:_files' \
'--store-cafile=[Believe only these authorities about the Redis or the PostgreSQL, a PEM file]:PATH:_files' \
'--print-config[Print every option with its value and where it comes from, and do nothing]' \
'-q[Say nothing on standard error but warnings and errors]' \
'--quiet[Say nothing on standard error but warnings and errors]' \
'*-v[Say on standard error what is going on inside; twice\: in libraries too]' \
'*--verbose[Say on standard error what is going on inside; twice\: in libraries too]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
&& ret=0
;;
(compact)
_arguments "${_arguments_options[@]}" : \
'--profile=[Take options from this profile of the configuration file]:NAME:_default' \
'--store=[File, Redis or PostgreSQL that keeps what is known, or \`memory\` for none]:PLACE:_files' \
'--store-password-file=[Read the password for the Redis or the PostgreSQL from a file]:PATH:_files' \
'--store-cafile=[Believe only these authorities about the Redis or the PostgreSQL, a PEM file]:PATH:_files' \
'--print-config[Print every option with its value and where it comes from, and do nothing]' \
'-q[Say nothing on standard error but warnings and errors]' \
'--quiet[Say nothing on standard error but warnings and errors]' \
'*-v[Say on standard error what is going on inside; twice\: in libraries too]' \
'*--verbose[Say on standard error what is going on inside; twice\: in libraries too]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
&& ret=0
;;
(forget-session)
_arguments "${_arguments_options[@]}" : \
'--member=[Remove a dead member of a shared group, by its client id]:CLIENT_ID:_default' \
'--profile=[Take options from this profile of the configuration file]:NAME:_default' \
'--store=[File, Redis or PostgreSQL that keeps what is known, or \`memory\` for none]:PLACE:_files' \
'--store-password-file=[Read the password for the Redis or the PostgreSQL from a file]:PATH:_files' \
'--store-cafile=[Believe only these authorities about the Redis or the PostgreSQL, a PEM file]:PATH:_files' \
'*-b+[Where the broker listens]:URL:_default' \
'*--broker=[Where the broker listens]:URL:_default' \
'--instance=[Name the broker goes by in stores and output]:NAME:_default' \
'-u+[User to connect as]:NAME:_default' \
'--username=[User to connect as]:NAME:_default' \
'(--password-stdin)--password-file=[Read the password from a file]:PATH:_files' \
'--auth=[What user name and password are made of]:WAY:(plain aliyun-signature aliyun-token aliyun-device)' \
'--auth-token-file=[Read the tokens for \`--auth aliyun-token\` from a file]:PATH:_files' \
'--aliyun-instance=[Id of the instance of Alibaba Cloud'\''s MQTT, as in post-cn-0pp12gl]:ID:_default' \
'-i+[Client id to connect with]:ID:_default' \
'--client-id=[Client id to connect with]:ID:_default' \
'-k+[Longest silence on the connection before it is probed]:SECONDS:_default' \
'--keepalive=[Longest silence on the connection before it is probed]:SECONDS:_default' \
'--mqtt-version=[Version of MQTT to speak]:VERSION:(3.1.1 5)' \
'--cafile=[Believe only the certificate authorities in this PEM file]:PATH:_files' \
'--ca=[Believe only the certificate authorities in this PEM file]:PATH:_files' \
'--cert=[Certificate to show to the broker, a PEM file]:PATH:_files' \
'--key=[Private key of the certificate, a PEM file without passphrase]:PATH:_files' \
'--tls-alpn=[Application protocol to name in the TLS handshake]:PROTOCOL:_default' \
'--alpn=[Application protocol to name in the TLS handshake]:PROTOCOL:_default' \
'--access-key-id=[Id of the access key, or of a device'\''s own]:ID:_default' \
'--access-key-secret-file=[Read the secret of the access key from a file]:PATH:_files' \
'--access-key-token-file=[Read the security token of a temporary access key from a file]:PATH:_files' \
'--print-config[Print every option with its value and where it comes from, and do nothing]' \
'--password-stdin[Read the password from standard input]' \
'--insecure[Accept any certificate from whoever answers]' \
'-q[Say nothing on standard error but warnings and errors]' \
'--quiet[Say nothing on standard error but warnings and errors]' \
'*-v[Say on standard error what is going on inside; twice\: in libraries too]' \
'*--verbose[Say on standard error what is going on inside; twice\: in libraries too]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
&& ret=0
;;
(forget-queues)
_arguments "${_arguments_options[@]}" : \
'--instance=[Name of the source, as \`store info\` shows it]:NAME:_default' \
'--profile=[Take options from this profile of the configuration file]:NAME:_default' \
'--store=[File, Redis or PostgreSQL that keeps what is known, or \`memory\` for none]:PLACE:_files' \
'--store-password-file=[Read the password for the Redis or the PostgreSQL from a file]:PATH:_files' \
'--store-cafile=[Believe only these authorities about the Redis or the PostgreSQL, a PEM file]:PATH:_files' \
'--print-config[Print every option with its value and where it comes from, and do nothing]' \
'-q[Say nothing on standard error but warnings and errors]' \
'--quiet[Say nothing on standard error but warnings and errors]' \
'*-v[Say on standard error what is going on inside; twice\: in libraries too]' \
'*--verbose[Say on standard error what is going on inside; twice\: in libraries too]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
":: :_presence__subcmd__store__subcmd__help_commands" \
"*::: :->help" \
&& ret=0

    case $state in
    (help)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:presence-store-help-command-$line[1]:"
        case $line[1] in
            (info)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(import)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(export)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(compact)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(forget-session)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(forget-queues)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
        esac
    ;;
esac
;;
(dialects)
_arguments "${_arguments_options[@]}" : \
'--json[Print one JSON object a dialect]' \
'-q[Say nothing on standard error but warnings and errors]' \
'--quiet[Say nothing on standard error but warnings and errors]' \
'*-v[Say on standard error what is going on inside; twice\: in libraries too]' \
'*--verbose[Say on standard error what is going on inside; twice\: in libraries too]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'::names -- Dialects to tell more about:_default' \
":: :_presence__subcmd__dialects_commands" \
"*::: :->dialects" \
&& ret=0

    case $state in
    (dialects)
        words=($line[2] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:presence-dialects-command-$line[2]:"
        case $line[2] in
            (test)
_arguments "${_arguments_options[@]}" : \
'--json[Print one JSON object a line]' \
'-q[Say nothing on standard error but warnings and errors]' \
'--quiet[Say nothing on standard error but warnings and errors]' \
'*-v[Say on standard error what is going on inside; twice\: in libraries too]' \
'*--verbose[Say on standard error what is going on inside; twice\: in libraries too]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':file -- File that describes the dialect:_files' \
':sample -- Messages, one a line; `-` is standard input:_files' \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
":: :_presence__subcmd__dialects__subcmd__help_commands" \
"*::: :->help" \
&& ret=0

    case $state in
    (help)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:presence-dialects-help-command-$line[1]:"
        case $line[1] in
            (test)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
        esac
    ;;
esac
;;
(completions)
_arguments "${_arguments_options[@]}" : \
'-q[Say nothing on standard error but warnings and errors]' \
'--quiet[Say nothing on standard error but warnings and errors]' \
'*-v[Say on standard error what is going on inside; twice\: in libraries too]' \
'*--verbose[Say on standard error what is going on inside; twice\: in libraries too]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':shell -- What to print:((bash\:""
elvish\:""
fish\:""
powershell\:""
zsh\:""
man\:"The manual page, in roff"))' \
&& ret=0
;;
(simulate)
_arguments "${_arguments_options[@]}" : \
'--count=[How many devices \[default\: 100, or as the scenario says\]]:COUNT:_default' \
'--rate=[Devices that come, and later go, per second \[default\: 1000\]]:RATE:_default' \
'(--rate)--ramp=[Time within which all devices come, instead of a rate]:DURATION:_default' \
'--duration=[How long the whole run takes \[default\: 20s, or more if the devices need it to come\]]:DURATION:_default' \
'--scenario=[Let devices do what a scenario says\: a file, or the name of a preset]:FILE|NAME:_default' \
'--deaths=[How devices die, in shares that add up to 100 \[default\: disconnect=100\]]:KIND=SHARE,…:_default' \
'--nat-drop=[Let a router forget devices this long after they connected]:DURATION:_default' \
'--storm=[Reset a share of the devices at one moment, and let them return at once]:PERCENT@TIME:_default' \
'--lives=[How often each device lives \[default\: 1, or 2 with --return-after\]]:COUNT:_default' \
'--return-after=[Time between a death and the next life of a device \[default\: 2s\]]:DURATION:_default' \
'--seed=[Number that decides whom a death hits \[default\: a random one, which is shown\]]:NUMBER:_default' \
'--shard=[Carry out only a part of the plan, on one of several machines]:I/N:_default' \
'--run=[Mark of this run, \`{run}\` in templates \[default\: 6 random hexadecimal digits\]]:MARK:_default' \
'--credentials=[Read user and password of each device from a CSV file]:FILE:_files' \
'--session-expiry=[How long a kept session outlives its connection, MQTT 5 only \[default\: 1h\]]:DURATION:_default' \
'--keepalive-profile=[Whose way of keeping a connection alive devices have]:PROFILE:(spec paho-c-1.2 paho-c-1.3.1 paho-c-1.3.13 paho-golang mobile-app never-pings half-open)' \
'--reconnect=[Let devices that were lost connect again, after this time or 1s]::DURATION:_default' \
'--will-topic=[Topic on which the broker announces a death]:TOPIC:_default' \
'--will-payload=[What the broker announces]:TEXT:_default' \
'--will-message=[What the broker announces]:TEXT:_default' \
'--will-qos=[QoS of the will]:QOS:_default' \
'--will-retain=[Let the broker keep the will for those who subscribe later; \`false\` for not]::BOOL:(true false)' \
'--will-delay=[How long the broker waits for a return before it announces the death, MQTT 5 only]:DURATION:_default' \
'--birth-topic=[Topic on which a device says that it is there]:TOPIC:_default' \
'--birth-payload=[What a device says when it is there]:TEXT:_default' \
'--birth-qos=[QoS of the birth message]:QOS:_default' \
'--birth-retain=[Let the broker keep the birth message; \`false\` for not]::BOOL:(true false)' \
'--publish-every=[Let each device publish at this interval]:DURATION:_default' \
'--publish-topic=[Topic that devices publish to]:TOPIC:_default' \
'(--payload-size)--payload=[What devices publish]:TEXT:_default' \
'(--payload-size)--message=[What devices publish]:TEXT:_default' \
'--payload-size=[Publish this many bytes instead of a text]:BYTES:_default' \
'--qos=[QoS of what devices publish and subscribe to]:QOS:_default' \
'*--subscribe=[Let each device subscribe to this; may be given several times]:FILTER:_default' \
'--expect-window=[When a silence has to be noticed\: the name of a broker, or a range \[default\: by what the broker says it is\]]:BROKER|FROM..TO:_default' \
'--probe=[Go by what a probe has found\: which evidence there is, and when silence is noticed]:FILE:_files' \
'*--dialect=[Evidence to listen for; may be given several times]:DIALECT:((auto\:"All that brokers and devices publish by themselves, recognised by topic and content"
lmq\:"Notices of Alibaba Cloud'\''s MQTT service (connect, disconnect, tcpclean), over any topic"
mosquitto\:"Log of Mosquitto 1.4 to 2.1, as a file or on \`\$SYS/broker/log/#\`"
aedes\:"Client ids of aedes, below \`\$SYS\`"
aws-iot\:"Lifecycle events of AWS IoT Core, below \`\$aws/events\`"
nanomq\:"Client notices of NanoMQ, below \`\$SYS/brokers\`"
emqx\:"Client notices of EMQX 4 to 6, below \`\$SYS/brokers\`"
rmqtt\:"Client notices of RMQTT, below \`\$SYS/brokers\`"
hivemq\:"Event log of HiveMQ, as a file"
flashmq\:"Log of FlashMQ, as a file"
tencent-tdmq\:"Client events of Tencent Cloud'\''s TDMQ for MQTT, below \`\$events\`"
connection-state\:"State that Mosquitto'\''s plugin \`connection-state\` keeps retained"
alibaba-iot\:"Device states of Alibaba Cloud'\''s IoT Platform (another product than LMQ)"
aliyun-trace\:"Histories of clients that the API of Alibaba Cloud'\''s MQTT tells, as a file"
azure-iothub\:"Connection states of Azure IoT Hub, from Event Grid or by routing"
azure-eventgrid\:"Client sessions of Azure Event Grid'\''s MQTT broker"
huawei\:"Device states that Huawei IoTDA pushes"
tencent-iothub\:"States of devices of Tencent'\''s IoT Hub and IoT Explorer, as a file"
vernemq\:"Calls of VerneMQ'\''s webhooks"
rabbitmq\:"Events of RabbitMQ'\''s event exchange, 3.8 to 4"
rabbitmq-log\:"Log of RabbitMQ 3.8 to 3.11, as a file"
activemq\:"Advisories of ActiveMQ Classic about connections"
artemis\:"Notifications of ActiveMQ Artemis about sessions"
nats\:"System events of NATS server about clients of MQTT, kept one a line"
emqx-rule\:"Client events that rules of EMQX 4 to 6 or the webhook of 4.x hand on"
nanomq-webhook\:"Calls of NanoMQ'\''s webhook"
mochi\:"Hooks of mochi-mqtt, as the program that embeds it writes them"
moquette\:"Interceptors of Moquette, as the program that embeds it writes them"
bifromq\:"Events of BifroMQ, as an event collector of yours writes them"
solace\:"Event log of Solace, as a file; known from its documents alone"
sparkplug\:"Births and deaths of Sparkplug B, nodes and devices"
homeassistant\:"Home Assistant itself, and entities beside their configuration"
zigbee2mqtt\:"Bridge and devices of zigbee2mqtt"
tasmota\:"Tasmota, in both orders of its topics"
shelly1\:"Shelly devices of the first generation"
homie\:"Homie 2 to 5"
frigate\:"Frigate"
theengs\:"Theengs Gateway"
openmqttgateway\:"OpenMQTTGateway"
campbell\:"Campbell Scientific loggers"
shelly2\:"Shelly devices from the second generation on"
esphome\:"ESPHome nodes"
status\:"Retained status that devices keep by birth and will"))' \
'*--dialect-file=[File that describes a dialect of your own; may be given several times]:FILE:_files' \
'--verify-username=[User to listen as \[default\: --username\]]:NAME:_default' \
'--verify-password-file=[Read the password to listen with from this file]:FILE:_files' \
'--lag-max=[Longest hold-up of this process with which its figures are trusted]:DURATION:_default' \
'--report=[Write the report into this file as well, as a web page]:FILE:_files' \
'--compare=[Compare with an earlier run, as \`simulate --json\` printed it]:FILE:_files' \
'*--bind-address=[Connect from this address of the machine; may be given several times]:IP:_default' \
'*--source-ip=[Connect from this address of the machine; may be given several times]:IP:_default' \
'--in-flight=[Connections that are being made at the same time, at most]:COUNT:_default' \
'--timeout=[Longest time that a connection may take]:DURATION:_default' \
'--profile=[Take options from this profile of the configuration file]:NAME:_default' \
'*-b+[Where the broker listens]:URL:_default' \
'*--broker=[Where the broker listens]:URL:_default' \
'--instance=[Name the broker goes by in stores and output]:NAME:_default' \
'(--password-stdin)--password-file=[Read the password from a file]:PATH:_files' \
'--auth=[What user name and password are made of]:WAY:(plain aliyun-signature aliyun-token aliyun-device)' \
'--auth-token-file=[Read the tokens for \`--auth aliyun-token\` from a file]:PATH:_files' \
'--aliyun-instance=[Id of the instance of Alibaba Cloud'\''s MQTT, as in post-cn-0pp12gl]:ID:_default' \
'--mqtt-version=[Version of MQTT to speak]:VERSION:(3.1.1 5)' \
'--cafile=[Believe only the certificate authorities in this PEM file]:PATH:_files' \
'--ca=[Believe only the certificate authorities in this PEM file]:PATH:_files' \
'--cert=[Certificate to show to the broker, a PEM file]:PATH:_files' \
'--key=[Private key of the certificate, a PEM file without passphrase]:PATH:_files' \
'--tls-alpn=[Application protocol to name in the TLS handshake]:PROTOCOL:_default' \
'--alpn=[Application protocol to name in the TLS handshake]:PROTOCOL:_default' \
'--access-key-id=[Id of the access key, or of a device'\''s own]:ID:_default' \
'--access-key-secret-file=[Read the secret of the access key from a file]:PATH:_files' \
'--access-key-token-file=[Read the security token of a temporary access key from a file]:PATH:_files' \
'-i+[Client ids of the devices, a template \[default\: sim-{run}-{n}\]]:TEMPLATE:_default' \
'--client-id=[Client ids of the devices, a template \[default\: sim-{run}-{n}\]]:TEMPLATE:_default' \
'-u+[User to connect as, a template like the password]:TEMPLATE:_default' \
'--username=[User to connect as, a template like the password]:TEMPLATE:_default' \
'-k+[Longest silence of a device \[default\: 5s\]]:SECONDS:_default' \
'--keepalive=[Longest silence of a device \[default\: 5s\]]:SECONDS:_default' \
'--json[Print one JSON object]' \
'--plan[Print who would live when, and connect to nothing]' \
'--ids-are-mine[Allow client ids without the mark of the run]' \
'--persistent[Ask the broker to keep a session for each device]' \
'--no-read[Let devices read nothing after CONNACK]' \
'(--will-topic --will-payload --will-qos --will-retain --will-delay)--no-will[Leave no will with the broker]' \
'(--birth-topic --birth-payload --birth-qos --birth-retain)--no-birth[Say nothing when a device is there]' \
'--verify[Match every life and death to what the broker says of it, and tell how late]' \
'--yes-load[Put load on a broker that is neither on this machine nor in a private network]' \
'--print-config[Print every option with its value and where it comes from, and do nothing]' \
'--password-stdin[Read the password from standard input]' \
'--insecure[Accept any certificate from whoever answers]' \
'-q[Say nothing on standard error but warnings and errors]' \
'--quiet[Say nothing on standard error but warnings and errors]' \
'*-v[Say on standard error what is going on inside; twice\: in libraries too]' \
'*--verbose[Say on standard error what is going on inside; twice\: in libraries too]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
":: :_presence__subcmd__simulate_commands" \
"*::: :->simulate" \
&& ret=0

    case $state in
    (simulate)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:presence-simulate-command-$line[1]:"
        case $line[1] in
            (merge)
_arguments "${_arguments_options[@]}" : \
'--report=[Write the report into this file as well, as a web page]:FILE:_files' \
'--compare=[Compare with an earlier run, as \`simulate --json\` printed it]:FILE:_files' \
'--json[Print one JSON object a line]' \
'-q[Say nothing on standard error but warnings and errors]' \
'--quiet[Say nothing on standard error but warnings and errors]' \
'*-v[Say on standard error what is going on inside; twice\: in libraries too]' \
'*--verbose[Say on standard error what is going on inside; twice\: in libraries too]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::files -- Reports of shards, in any order; `-` is standard input:_files' \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
":: :_presence__subcmd__simulate__subcmd__help_commands" \
"*::: :->help" \
&& ret=0

    case $state in
    (help)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:presence-simulate-help-command-$line[1]:"
        case $line[1] in
            (merge)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
        esac
    ;;
esac
;;
(replay)
_arguments "${_arguments_options[@]}" : \
'(--follow --publish)*--source=[Read a topic of RocketMQ or Kafka too, to the end that it has; may be given several times]:URL:_default' \
'*--client=[Show only clients whose id matches; may be given several times]:GLOB:_default' \
'(--shuffle --dup --drop)--at=[Moment to judge at, as RFC 3339 or milliseconds since 1970]:TIME:_default' \
'--now=[What to take for the present when a plain log is read, as RFC 3339 or ms since 1970]:TIME:_default' \
'--timeline=[Print when a client was online, when it was not, and when nobody knows]:ID:_default' \
'*--what-if=[Print where, and for how long, other rules would have been wrong about the same events]:RULE:_default' \
'--worst=[Rows of a table that begins with the worst; JSON has them all]:COUNT:_default' \
'--since=[Leave out what was before, as RFC 3339 or milliseconds since 1970]:TIME:_default' \
'--until=[Leave out what was then or later, as RFC 3339 or milliseconds since 1970]:TIME:_default' \
'--report=[Write a page about all that was read into this file as well]:FILE:_files' \
'--redact=[Put pseudonyms in the place of ids and addresses, by the key in this file]:KEYFILE:_files' \
'--expect=[Compare the answer with a file, print how it differs, and end with 1 if it does]:FILE:_files' \
'*--group=[Show only clients whose group matches; may be given several times]:GLOB:_default' \
'--profile=[Take options from this profile of the configuration file]:NAME:_default' \
'*--dialect=[Way of announcing clients to understand; may be given several times]:NAME:((auto\:"All that brokers and devices publish by themselves, recognised by topic and content"
lmq\:"Notices of Alibaba Cloud'\''s MQTT service (connect, disconnect, tcpclean), over any topic"
mosquitto\:"Log of Mosquitto 1.4 to 2.1, as a file or on \`\$SYS/broker/log/#\`"
aedes\:"Client ids of aedes, below \`\$SYS\`"
aws-iot\:"Lifecycle events of AWS IoT Core, below \`\$aws/events\`"
nanomq\:"Client notices of NanoMQ, below \`\$SYS/brokers\`"
emqx\:"Client notices of EMQX 4 to 6, below \`\$SYS/brokers\`"
rmqtt\:"Client notices of RMQTT, below \`\$SYS/brokers\`"
hivemq\:"Event log of HiveMQ, as a file"
flashmq\:"Log of FlashMQ, as a file"
tencent-tdmq\:"Client events of Tencent Cloud'\''s TDMQ for MQTT, below \`\$events\`"
connection-state\:"State that Mosquitto'\''s plugin \`connection-state\` keeps retained"
alibaba-iot\:"Device states of Alibaba Cloud'\''s IoT Platform (another product than LMQ)"
aliyun-trace\:"Histories of clients that the API of Alibaba Cloud'\''s MQTT tells, as a file"
azure-iothub\:"Connection states of Azure IoT Hub, from Event Grid or by routing"
azure-eventgrid\:"Client sessions of Azure Event Grid'\''s MQTT broker"
huawei\:"Device states that Huawei IoTDA pushes"
tencent-iothub\:"States of devices of Tencent'\''s IoT Hub and IoT Explorer, as a file"
vernemq\:"Calls of VerneMQ'\''s webhooks"
rabbitmq\:"Events of RabbitMQ'\''s event exchange, 3.8 to 4"
rabbitmq-log\:"Log of RabbitMQ 3.8 to 3.11, as a file"
activemq\:"Advisories of ActiveMQ Classic about connections"
artemis\:"Notifications of ActiveMQ Artemis about sessions"
nats\:"System events of NATS server about clients of MQTT, kept one a line"
emqx-rule\:"Client events that rules of EMQX 4 to 6 or the webhook of 4.x hand on"
nanomq-webhook\:"Calls of NanoMQ'\''s webhook"
mochi\:"Hooks of mochi-mqtt, as the program that embeds it writes them"
moquette\:"Interceptors of Moquette, as the program that embeds it writes them"
bifromq\:"Events of BifroMQ, as an event collector of yours writes them"
solace\:"Event log of Solace, as a file; known from its documents alone"
sparkplug\:"Births and deaths of Sparkplug B, nodes and devices"
homeassistant\:"Home Assistant itself, and entities beside their configuration"
zigbee2mqtt\:"Bridge and devices of zigbee2mqtt"
tasmota\:"Tasmota, in both orders of its topics"
shelly1\:"Shelly devices of the first generation"
homie\:"Homie 2 to 5"
frigate\:"Frigate"
theengs\:"Theengs Gateway"
openmqttgateway\:"OpenMQTTGateway"
campbell\:"Campbell Scientific loggers"
shelly2\:"Shelly devices from the second generation on"
esphome\:"ESPHome nodes"
status\:"Retained status that devices keep by birth and will"))' \
'*--dialect-file=[File that describes a dialect of your own; may be given several times]:FILE:_files' \
'*--topic=[Listen here instead of where the dialect says; may be given several times]:FILTER:_default' \
'--status-topic=[Where devices keep their own status, with \`{client}\` in the place of the client id]:TEMPLATE:_default' \
'*--status-online=[Word that means online there; may be given several times]:WORD:_default' \
'*--status-offline=[Word that means offline there; may be given several times]:WORD:_default' \
'--status-json=[Where the word stands in a status that is JSON, as a JSON pointer such as \`/state\`]:POINTER:_default' \
'--time-zone=[Zone of local times, such as \`Europe/Berlin\`, \`UTC\` or \`+02\:00\`]:ZONE:_default' \
'*--csv-map=[Column of a CSV file that holds a part of the notices, such as \`client=Device\`]:PART=COLUMN:_default' \
'*--csv-event=[Word in a CSV file that stands for a type of event, such as \`tcpclean=close\`]:TYPE=WORD:_default' \
'--threads=[Threads that read notices at the same time]:COUNT:_default' \
'--skew=[Largest difference assumed between the clocks of two nodes of a broker]:DURATION:_default' \
'--close-grace=[Wait for the transport to end after a client has said goodbye]:DURATION:_default' \
'--future=[How far ahead of our clock a stamp may be and still be believed]:DURATION:_default' \
'--channels=[Channels remembered per client]:COUNT:_default' \
'--loop=[Connects within a time that count as flapping, as COUNT/DURATION]:COUNT/DURATION:_default' \
'--shuffle=[Let every message come up to so much later, so that some overtake others]:DURATION:_default' \
'--dup=[Deliver this share of the messages twice, as in \`5%\`]:PERCENT:_default' \
'--drop=[Leave this share of the messages out, as in \`1%\`]:PERCENT:_default' \
'--seed=[Seed of the disorder; drawn at random without it, and told]:NUMBER:_default' \
'*--tags=[Read only messages with one of these tags; \`*\` stands for all]:TAGS:_default' \
'--consumer-group=[Name of the consumer group to ask as, where rights are given to groups]:GROUP:_default' \
'--namespace=[Instance of the cloud whose topics and groups are meant, as in \`MQ_INST_…\`]:ID:_default' \
'--sasl=[How to say who we are \[default\: the strongest that the broker has\]]:MECHANISM:(plain scram-sha-256 scram-sha-512)' \
'--speed=[How fast, as a factor such as \`1x\`, \`10x\` or \`0.5x\`, or \`max\`]:FACTOR:_default' \
'--gap-max=[Cut pauses of the log that are longer down to this]:DURATION:_default' \
'--topic-prefix=[What stands before every topic]:TEXT:_default' \
'--publish-topic=[Topic of the messages, a template, below the prefix]:TEMPLATE:_default' \
'--qos=[QoS of the messages \[default\: that of the recording, 1 for plain files\]]:LEVEL:_default' \
'--repeat=[How often to send all of it; \`0\` until Ctrl-C]:COUNT:_default' \
'--timeout=[Give up if the first connection, or the last acknowledgement, takes longer]:DURATION:_default' \
'*-b+[Where the broker listens]:URL:_default' \
'*--broker=[Where the broker listens]:URL:_default' \
'-u+[User to connect as]:NAME:_default' \
'--username=[User to connect as]:NAME:_default' \
'(--password-stdin)--password-file=[Read the password from a file]:PATH:_files' \
'--auth=[What user name and password are made of]:WAY:(plain aliyun-signature aliyun-token aliyun-device)' \
'--auth-token-file=[Read the tokens for \`--auth aliyun-token\` from a file]:PATH:_files' \
'--aliyun-instance=[Id of the instance of Alibaba Cloud'\''s MQTT, as in post-cn-0pp12gl]:ID:_default' \
'-i+[Client id to connect with]:ID:_default' \
'--client-id=[Client id to connect with]:ID:_default' \
'-k+[Longest silence on the connection before it is probed]:SECONDS:_default' \
'--keepalive=[Longest silence on the connection before it is probed]:SECONDS:_default' \
'--mqtt-version=[Version of MQTT to speak]:VERSION:(3.1.1 5)' \
'--cafile=[Believe only the certificate authorities in this PEM file]:PATH:_files' \
'--ca=[Believe only the certificate authorities in this PEM file]:PATH:_files' \
'--cert=[Certificate to show to the broker, a PEM file]:PATH:_files' \
'--key=[Private key of the certificate, a PEM file without passphrase]:PATH:_files' \
'--tls-alpn=[Application protocol to name in the TLS handshake]:PROTOCOL:_default' \
'--alpn=[Application protocol to name in the TLS handshake]:PROTOCOL:_default' \
'--access-key-id=[Id of the access key, or of a device'\''s own]:ID:_default' \
'--access-key-secret-file=[Read the secret of the access key from a file]:PATH:_files' \
'--access-key-token-file=[Read the security token of a temporary access key from a file]:PATH:_files' \
'--instance=[Name of the broker that plain logs are about]:NAME:_default' \
'--json[Print one JSON object a line]' \
'--strict[Fail on the first line that cannot be read]' \
'(--at --now --shuffle --dup --drop)--follow[Go on reading as the last file grows, and show changes as they come]' \
'--changes[Print every change of verdict, as it could be known then]' \
'--uptime[Print for how long clients were online, and how often that ended]' \
'--concurrency[Print how many clients were online at a time]' \
'--outages[Print when many clients were lost at once, what they have in common, and how many came back]' \
'--anomalies[Print how many clients have an odd history, by anomaly, and some of them]' \
'--debounce-advisor[Print how long to wait before an absence is told, so that short ones are not]' \
'(--json)--csv[Print comma-separated values, below a header]' \
'--print-config[Print every option with its value and where it comes from, and do nothing]' \
'(--at --follow --csv --expect)--publish[Send the messages to a broker, each when it is due, instead of judging them]' \
'--retain[Have the broker keep the last message of every topic]' \
'--yes-load[Put a broker under load that is neither on this machine nor in a private network]' \
'--password-stdin[Read the password from standard input]' \
'--insecure[Accept any certificate from whoever answers]' \
'-q[Say nothing on standard error but warnings and errors]' \
'--quiet[Say nothing on standard error but warnings and errors]' \
'*-v[Say on standard error what is going on inside; twice\: in libraries too]' \
'*--verbose[Say on standard error what is going on inside; twice\: in libraries too]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'*::files -- Files, folders or quoted patterns to read; `-` is standard input:_files' \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
":: :_presence__subcmd__help_commands" \
"*::: :->help" \
&& ret=0

    case $state in
    (help)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:presence-help-command-$line[1]:"
        case $line[1] in
            (watch)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(check)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(probe)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(demo)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(broker)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(store)
_arguments "${_arguments_options[@]}" : \
":: :_presence__subcmd__help__subcmd__store_commands" \
"*::: :->store" \
&& ret=0

    case $state in
    (store)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:presence-help-store-command-$line[1]:"
        case $line[1] in
            (info)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(import)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(export)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(compact)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(forget-session)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(forget-queues)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
(dialects)
_arguments "${_arguments_options[@]}" : \
":: :_presence__subcmd__help__subcmd__dialects_commands" \
"*::: :->dialects" \
&& ret=0

    case $state in
    (dialects)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:presence-help-dialects-command-$line[1]:"
        case $line[1] in
            (test)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
(completions)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(simulate)
_arguments "${_arguments_options[@]}" : \
":: :_presence__subcmd__help__subcmd__simulate_commands" \
"*::: :->simulate" \
&& ret=0

    case $state in
    (simulate)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:presence-help-simulate-command-$line[1]:"
        case $line[1] in
            (merge)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
(replay)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
        esac
    ;;
esac
}

(( $+functions[_presence_commands] )) ||
_presence_commands() {
    local commands; commands=(
'watch:Shows who comes and goes, as it happens' \
'check:Answers whether clients are online, and how that is known' \
'probe:Tells which evidence a broker gives of clients, to this account, and how late' \
'demo:Shows a small fleet living and dying, and what was heard of it' \
'broker:Runs a small MQTT broker that tells who comes and goes' \
'store:Looks after what watchers have kept' \
'dialects:Lists the ways of announcing clients that are understood' \
'completions:Prints the completions for a shell, or the manual page' \
'simulate:Lets devices come, live and die at a broker' \
'replay:Judges recorded events\: recordings, notices, broker logs' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'presence commands' commands "$@"
}
(( $+functions[_presence__subcmd__broker_commands] )) ||
_presence__subcmd__broker_commands() {
    local commands; commands=()
    _describe -t commands 'presence broker commands' commands "$@"
}
(( $+functions[_presence__subcmd__check_commands] )) ||
_presence__subcmd__check_commands() {
    local commands; commands=()
    _describe -t commands 'presence check commands' commands "$@"
}
(( $+functions[_presence__subcmd__completions_commands] )) ||
_presence__subcmd__completions_commands() {
    local commands; commands=()
    _describe -t commands 'presence completions commands' commands "$@"
}
(( $+functions[_presence__subcmd__demo_commands] )) ||
_presence__subcmd__demo_commands() {
    local commands; commands=()
    _describe -t commands 'presence demo commands' commands "$@"
}
(( $+functions[_presence__subcmd__dialects_commands] )) ||
_presence__subcmd__dialects_commands() {
    local commands; commands=(
'test:Tells what a dialect of your own makes of a sample, message by message' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'presence dialects commands' commands "$@"
}
(( $+functions[_presence__subcmd__dialects__subcmd__help_commands] )) ||
_presence__subcmd__dialects__subcmd__help_commands() {
    local commands; commands=(
'test:Tells what a dialect of your own makes of a sample, message by message' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'presence dialects help commands' commands "$@"
}
(( $+functions[_presence__subcmd__dialects__subcmd__help__subcmd__help_commands] )) ||
_presence__subcmd__dialects__subcmd__help__subcmd__help_commands() {
    local commands; commands=()
    _describe -t commands 'presence dialects help help commands' commands "$@"
}
(( $+functions[_presence__subcmd__dialects__subcmd__help__subcmd__test_commands] )) ||
_presence__subcmd__dialects__subcmd__help__subcmd__test_commands() {
    local commands; commands=()
    _describe -t commands 'presence dialects help test commands' commands "$@"
}
(( $+functions[_presence__subcmd__dialects__subcmd__test_commands] )) ||
_presence__subcmd__dialects__subcmd__test_commands() {
    local commands; commands=()
    _describe -t commands 'presence dialects test commands' commands "$@"
}
(( $+functions[_presence__subcmd__help_commands] )) ||
_presence__subcmd__help_commands() {
    local commands; commands=(
'watch:Shows who comes and goes, as it happens' \
'check:Answers whether clients are online, and how that is known' \
'probe:Tells which evidence a broker gives of clients, to this account, and how late' \
'demo:Shows a small fleet living and dying, and what was heard of it' \
'broker:Runs a small MQTT broker that tells who comes and goes' \
'store:Looks after what watchers have kept' \
'dialects:Lists the ways of announcing clients that are understood' \
'completions:Prints the completions for a shell, or the manual page' \
'simulate:Lets devices come, live and die at a broker' \
'replay:Judges recorded events\: recordings, notices, broker logs' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'presence help commands' commands "$@"
}
(( $+functions[_presence__subcmd__help__subcmd__broker_commands] )) ||
_presence__subcmd__help__subcmd__broker_commands() {
    local commands; commands=()
    _describe -t commands 'presence help broker commands' commands "$@"
}
(( $+functions[_presence__subcmd__help__subcmd__check_commands] )) ||
_presence__subcmd__help__subcmd__check_commands() {
    local commands; commands=()
    _describe -t commands 'presence help check commands' commands "$@"
}
(( $+functions[_presence__subcmd__help__subcmd__completions_commands] )) ||
_presence__subcmd__help__subcmd__completions_commands() {
    local commands; commands=()
    _describe -t commands 'presence help completions commands' commands "$@"
}
(( $+functions[_presence__subcmd__help__subcmd__demo_commands] )) ||
_presence__subcmd__help__subcmd__demo_commands() {
    local commands; commands=()
    _describe -t commands 'presence help demo commands' commands "$@"
}
(( $+functions[_presence__subcmd__help__subcmd__dialects_commands] )) ||
_presence__subcmd__help__subcmd__dialects_commands() {
    local commands; commands=(
'test:Tells what a dialect of your own makes of a sample, message by message' \
    )
    _describe -t commands 'presence help dialects commands' commands "$@"
}
(( $+functions[_presence__subcmd__help__subcmd__dialects__subcmd__test_commands] )) ||
_presence__subcmd__help__subcmd__dialects__subcmd__test_commands() {
    local commands; commands=()
    _describe -t commands 'presence help dialects test commands' commands "$@"
}
(( $+functions[_presence__subcmd__help__subcmd__help_commands] )) ||
_presence__subcmd__help__subcmd__help_commands() {
    local commands; commands=()
    _describe -t commands 'presence help help commands' commands "$@"
}
(( $+functions[_presence__subcmd__help__subcmd__probe_commands] )) ||
_presence__subcmd__help__subcmd__probe_commands() {
    local commands; commands=()
    _describe -t commands 'presence help probe commands' commands "$@"
}
(( $+functions[_presence__subcmd__help__subcmd__replay_commands] )) ||
_presence__subcmd__help__subcmd__replay_commands() {
    local commands; commands=()
    _describe -t commands 'presence help replay commands' commands "$@"
}
(( $+functions[_presence__subcmd__help__subcmd__simulate_commands] )) ||
_presence__subcmd__help__subcmd__simulate_commands() {
    local commands; commands=(
'merge:Joins the reports of the shards of one run' \
    )
    _describe -t commands 'presence help simulate commands' commands "$@"
}
(( $+functions[_presence__subcmd__help__subcmd__simulate__subcmd__merge_commands] )) ||
_presence__subcmd__help__subcmd__simulate__subcmd__merge_commands() {
    local commands; commands=()
    _describe -t commands 'presence help simulate merge commands' commands "$@"
}
(( $+functions[_presence__subcmd__help__subcmd__store_commands] )) ||
_presence__subcmd__help__subcmd__store_commands() {
    local commands; commands=(
'info:Shows which brokers a store knows, who listened, and until when' \
'import:Joins files into a store\: exports, recordings, notices, broker logs' \
'export:Prints all that a store knows as JSON Lines, for \`store import\` and \`replay\`' \
'compact:Gives space that is no longer used back to the disk' \
'forget-session:Removes the watcher'\''s session from the broker' \
'forget-queues:Forgets how far the queues of a source were read' \
    )
    _describe -t commands 'presence help store commands' commands "$@"
}
(( $+functions[_presence__subcmd__help__subcmd__store__subcmd__compact_commands] )) ||
_presence__subcmd__help__subcmd__store__subcmd__compact_commands() {
    local commands; commands=()
    _describe -t commands 'presence help store compact commands' commands "$@"
}
(( $+functions[_presence__subcmd__help__subcmd__store__subcmd__export_commands] )) ||
_presence__subcmd__help__subcmd__store__subcmd__export_commands() {
    local commands; commands=()
    _describe -t commands 'presence help store export commands' commands "$@"
}
(( $+functions[_presence__subcmd__help__subcmd__store__subcmd__forget-queues_commands] )) ||
_presence__subcmd__help__subcmd__store__subcmd__forget-queues_commands() {
    local commands; commands=()
    _describe -t commands 'presence help store forget-queues commands' commands "$@"
}
(( $+functions[_presence__subcmd__help__subcmd__store__subcmd__forget-session_commands] )) ||
_presence__subcmd__help__subcmd__store__subcmd__forget-session_commands() {
    local commands; commands=()
    _describe -t commands 'presence help store forget-session commands' commands "$@"
}
(( $+functions[_presence__subcmd__help__subcmd__store__subcmd__import_commands] )) ||
_presence__subcmd__help__subcmd__store__subcmd__import_commands() {
    local commands; commands=()
    _describe -t commands 'presence help store import commands' commands "$@"
}
(( $+functions[_presence__subcmd__help__subcmd__store__subcmd__info_commands] )) ||
_presence__subcmd__help__subcmd__store__subcmd__info_commands() {
    local commands; commands=()
    _describe -t commands 'presence help store info commands' commands "$@"
}
(( $+functions[_presence__subcmd__help__subcmd__watch_commands] )) ||
_presence__subcmd__help__subcmd__watch_commands() {
    local commands; commands=()
    _describe -t commands 'presence help watch commands' commands "$@"
}
(( $+functions[_presence__subcmd__probe_commands] )) ||
_presence__subcmd__probe_commands() {
    local commands; commands=()
    _describe -t commands 'presence probe commands' commands "$@"
}
(( $+functions[_presence__subcmd__replay_commands] )) ||
_presence__subcmd__replay_commands() {
    local commands; commands=()
    _describe -t commands 'presence replay commands' commands "$@"
}
(( $+functions[_presence__subcmd__simulate_commands] )) ||
_presence__subcmd__simulate_commands() {
    local commands; commands=(
'merge:Joins the reports of the shards of one run' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'presence simulate commands' commands "$@"
}
(( $+functions[_presence__subcmd__simulate__subcmd__help_commands] )) ||
_presence__subcmd__simulate__subcmd__help_commands() {
    local commands; commands=(
'merge:Joins the reports of the shards of one run' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'presence simulate help commands' commands "$@"
}
(( $+functions[_presence__subcmd__simulate__subcmd__help__subcmd__help_commands] )) ||
_presence__subcmd__simulate__subcmd__help__subcmd__help_commands() {
    local commands; commands=()
    _describe -t commands 'presence simulate help help commands' commands "$@"
}
(( $+functions[_presence__subcmd__simulate__subcmd__help__subcmd__merge_commands] )) ||
_presence__subcmd__simulate__subcmd__help__subcmd__merge_commands() {
    local commands; commands=()
    _describe -t commands 'presence simulate help merge commands' commands "$@"
}
(( $+functions[_presence__subcmd__simulate__subcmd__merge_commands] )) ||
_presence__subcmd__simulate__subcmd__merge_commands() {
    local commands; commands=()
    _describe -t commands 'presence simulate merge commands' commands "$@"
}
(( $+functions[_presence__subcmd__store_commands] )) ||
_presence__subcmd__store_commands() {
    local commands; commands=(
'info:Shows which brokers a store knows, who listened, and until when' \
'import:Joins files into a store\: exports, recordings, notices, broker logs' \
'export:Prints all that a store knows as JSON Lines, for \`store import\` and \`replay\`' \
'compact:Gives space that is no longer used back to the disk' \
'forget-session:Removes the watcher'\''s session from the broker' \
'forget-queues:Forgets how far the queues of a source were read' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'presence store commands' commands "$@"
}
(( $+functions[_presence__subcmd__store__subcmd__compact_commands] )) ||
_presence__subcmd__store__subcmd__compact_commands() {
    local commands; commands=()
    _describe -t commands 'presence store compact commands' commands "$@"
}
(( $+functions[_presence__subcmd__store__subcmd__export_commands] )) ||
_presence__subcmd__store__subcmd__export_commands() {
    local commands; commands=()
    _describe -t commands 'presence store export commands' commands "$@"
}
(( $+functions[_presence__subcmd__store__subcmd__forget-queues_commands] )) ||
_presence__subcmd__store__subcmd__forget-queues_commands() {
    local commands; commands=()
    _describe -t commands 'presence store forget-queues commands' commands "$@"
}
(( $+functions[_presence__subcmd__store__subcmd__forget-session_commands] )) ||
_presence__subcmd__store__subcmd__forget-session_commands() {
    local commands; commands=()
    _describe -t commands 'presence store forget-session commands' commands "$@"
}
(( $+functions[_presence__subcmd__store__subcmd__help_commands] )) ||
_presence__subcmd__store__subcmd__help_commands() {
    local commands; commands=(
'info:Shows which brokers a store knows, who listened, and until when' \
'import:Joins files into a store\: exports, recordings, notices, broker logs' \
'export:Prints all that a store knows as JSON Lines, for \`store import\` and \`replay\`' \
'compact:Gives space that is no longer used back to the disk' \
'forget-session:Removes the watcher'\''s session from the broker' \
'forget-queues:Forgets how far the queues of a source were read' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'presence store help commands' commands "$@"
}
(( $+functions[_presence__subcmd__store__subcmd__help__subcmd__compact_commands] )) ||
_presence__subcmd__store__subcmd__help__subcmd__compact_commands() {
    local commands; commands=()
    _describe -t commands 'presence store help compact commands' commands "$@"
}
(( $+functions[_presence__subcmd__store__subcmd__help__subcmd__export_commands] )) ||
_presence__subcmd__store__subcmd__help__subcmd__export_commands() {
    local commands; commands=()
    _describe -t commands 'presence store help export commands' commands "$@"
}
(( $+functions[_presence__subcmd__store__subcmd__help__subcmd__forget-queues_commands] )) ||
_presence__subcmd__store__subcmd__help__subcmd__forget-queues_commands() {
    local commands; commands=()
    _describe -t commands 'presence store help forget-queues commands' commands "$@"
}
(( $+functions[_presence__subcmd__store__subcmd__help__subcmd__forget-session_commands] )) ||
_presence__subcmd__store__subcmd__help__subcmd__forget-session_commands() {
    local commands; commands=()
    _describe -t commands 'presence store help forget-session commands' commands "$@"
}
(( $+functions[_presence__subcmd__store__subcmd__help__subcmd__help_commands] )) ||
_presence__subcmd__store__subcmd__help__subcmd__help_commands() {
    local commands; commands=()
    _describe -t commands 'presence store help help commands' commands "$@"
}
(( $+functions[_presence__subcmd__store__subcmd__help__subcmd__import_commands] )) ||
_presence__subcmd__store__subcmd__help__subcmd__import_commands() {
    local commands; commands=()
    _describe -t commands 'presence store help import commands' commands "$@"
}
(( $+functions[_presence__subcmd__store__subcmd__help__subcmd__info_commands] )) ||
_presence__subcmd__store__subcmd__help__subcmd__info_commands() {
    local commands; commands=()
    _describe -t commands 'presence store help info commands' commands "$@"
}
(( $+functions[_presence__subcmd__store__subcmd__import_commands] )) ||
_presence__subcmd__store__subcmd__import_commands() {
    local commands; commands=()
    _describe -t commands 'presence store import commands' commands "$@"
}
(( $+functions[_presence__subcmd__store__subcmd__info_commands] )) ||
_presence__subcmd__store__subcmd__info_commands() {
    local commands; commands=()
    _describe -t commands 'presence store info commands' commands "$@"
}
(( $+functions[_presence__subcmd__watch_commands] )) ||
_presence__subcmd__watch_commands() {
    local commands; commands=()
    _describe -t commands 'presence watch commands' commands "$@"
}

if [ "$funcstack[1]" = "_presence" ]; then
    _presence "$@"
else
    compdef _presence presence
fi
