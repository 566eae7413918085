// Does what it is told by the official clients, a command a line, in JSON:
//
// {"do":"topic","name":T,"partitions":N,"copies":1,"settings":{…}}
// {"do":"send","topic":T,"from":FILE}                 a record a line, or
// {"do":"send","topic":T,"values":[…]}                these; null is no value
//   with "partition":N (else in turn), "compression":KIND, "time":MS, "key":TEXT, and in a transaction
//   "transaction":"commit" or "abort"
// {"do":"made","topic":T,"count":N,"devices":D}       notices of devices that come and go in turn
// {"do":"forget","topic":T,"partition":N,"before":OFFSET}
// {"do":"groups"}                                     groups, and all topics
//
// Argument: HOST:PORT. Each command is answered by a line that holds its number, from 1 on, as `n`.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public final class Drive {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long WAIT_S = 120;

  private final Map<String, Object> where;
  private final Admin admin;
  private final Map<String, KafkaProducer<byte[], byte[]>> producers = new HashMap<>();

  private Drive(final String server) {
    where = Map.of("bootstrap.servers", server);
    admin = Admin.create(where);
  }

  public static void main(final String[] arguments) throws Exception {
    final var drive = new Drive(arguments[0]);
    final var input =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    drive.admin.describeCluster().nodes().get(WAIT_S, TimeUnit.SECONDS);
    tell(JSON.createObjectNode().put("n", 0));
    int number = 0;
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      number++;
      final var answer = drive.act(JSON.readTree(line));
      tell(answer.put("n", number));
    }
    Runtime.getRuntime().halt(0);
  }

  private static void tell(final ObjectNode answer) throws Exception {
    System.out.println(JSON.writeValueAsString(answer));
    System.out.flush();
  }

  private ObjectNode act(final JsonNode command) throws Exception {
    final var answer = JSON.createObjectNode();
    final var topic = command.path("topic").asText();
    switch (command.get("do").asText()) {
      case "topic":
        final var made =
            new NewTopic(
                command.get("name").asText(),
                command.get("partitions").asInt(),
                (short) command.path("copies").asInt(1));
        final var settings = new HashMap<String, String>();
        command
            .path("settings")
            .properties()
            .forEach(it -> settings.put(it.getKey(), it.getValue().asText()));
        admin.createTopics(List.of(made.configs(settings))).all().get(WAIT_S, TimeUnit.SECONDS);
        break;
      case "send":
        answer.put("sent", send(command, values(command)));
        break;
      case "made":
        answer.put("sent", send(command, made(command)));
        break;
      case "forget":
        final var partition = new TopicPartition(topic, command.get("partition").asInt());
        final var before = RecordsToDelete.beforeOffset(command.get("before").asLong());
        admin.deleteRecords(Map.of(partition, before)).all().get(WAIT_S, TimeUnit.SECONDS);
        break;
      case "groups":
        final var groups = answer.putArray("groups");
        admin.listGroups().all().get(WAIT_S, TimeUnit.SECONDS).forEach(it -> groups.add(it.groupId()));
        final var topics = answer.putArray("topics");
        final var all = new ListTopicsOptions().listInternal(true);
        admin.listTopics(all).names().get(WAIT_S, TimeUnit.SECONDS).forEach(topics::add);
        break;
      default:
        throw new IllegalArgumentException(command.toString());
    }
    return answer;
  }

  private static List<String> values(final JsonNode command) throws Exception {
    if (command.has("from")) {
      return Files.readAllLines(Path.of(command.get("from").asText()));
    }
    final var values = new ArrayList<String>();
    command.get("values").forEach(it -> values.add(it.isNull() ? null : it.asText()));
    return values;
  }

  /** Each device is told of once before one is told of again, and is on a new channel each time. */
  private static List<String> made(final JsonNode command) {
    final var devices = command.get("devices").asInt();
    final var now = System.currentTimeMillis();
    final var values = new ArrayList<String>();
    for (int number = 0; number < command.get("count").asInt(); number++) {
      final var round = number / devices;
      values.add(
          String.format(
              "{\"clientId\":\"GID_made@@@dev-%06d\",\"time\":%d,\"eventType\":\"%s\","
                  + "\"channelId\":\"%012x%04x\",\"clientIp\":\"203.0.113.7:50001\"}",
              number % devices, now + number / 50, round % 2 == 0 ? "connect" : "tcpclean",
              number % devices, round / 2));
    }
    return values;
  }

  private int send(final JsonNode command, final List<String> values) throws Exception {
    final var topic = command.get("topic").asText();
    final var compression = command.path("compression").asText("none");
    final var transaction = command.path("transaction").asText(null);
    final var producer = producers.computeIfAbsent(compression + transaction, key -> producer(key, compression, transaction));
    final var count = producer.partitionsFor(topic).size();
    final var key = command.has("key") ? bytes(command.get("key").asText()) : null;
    final var time = command.has("time") ? command.get("time").asLong() : null;
    final var failure = new AtomicReference<Exception>();
    if (transaction != null) {
      producer.beginTransaction();
    }
    int sent = 0;
    for (final var value : values) {
      final var partition = command.path("partition").asInt(sent % count);
      final var data = value == null ? null : bytes(value);
      producer.send(
          new ProducerRecord<>(topic, partition, time, key, data),
          (stored, error) -> failure.compareAndSet(null, error));
      sent++;
    }
    producer.flush();
    if ("abort".equals(transaction)) {
      producer.abortTransaction();
    } else if (transaction != null) {
      producer.commitTransaction();
    }
    if (failure.get() != null) {
      throw failure.get();
    }
    return sent;
  }

  private KafkaProducer<byte[], byte[]> producer(
      final String name, final String compression, final String transaction) {
    final var settings = new HashMap<>(where);
    settings.put("compression.type", compression);
    settings.put("linger.ms", 5);
    if (transaction != null) {
      settings.put("transactional.id", name);
    }
    final var producer =
        new KafkaProducer<byte[], byte[]>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    if (transaction != null) {
      producer.initTransactions();
    }
    return producer;
  }

  private static byte[] bytes(final String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
