// Sends notices by the official producer.
//
// server=HOST:PORT topic=T   where to
// count=N devices=D          so many notices of so many devices, which come and go in turn; or
// from=FILE                  a message a line; or
// from=-                     the same from standard input, each sent and answered at once
// batch=32                   so many a request; 1 with compression, which a batch never has
// queue=hash|round|NUMBER    by client id, in turn, or always the same
// tag=T                      for all, else the `eventType` of each
// compression=zlib|lz4|zstd  of bodies, which `pad=BYTES` makes larger
//
// Ends with a JSON line: `{"sent":N,"ms":...,"cpu_ms":...}`.

import com.alibaba.fastjson2.JSON;
import com.alibaba.fastjson2.JSONObject;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.compression.CompressionType;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageQueue;

public final class Produce {
  private final Settings settings;
  private final DefaultMQProducer producer;
  private final String topic;
  private final int batch;
  private final String pad;
  private List<MessageQueue> queues;
  private List<List<Message>> waiting;
  private int next;
  private int sent;

  private Produce(final Settings settings) {
    this.settings = settings;
    topic = settings.text("topic");
    pad = "-".repeat(settings.number("pad", 0));
    producer = new DefaultMQProducer("produce", settings.signer());
    producer.setNamesrvAddr(settings.text("server"));
    producer.setInstanceName("produce-" + ProcessHandle.current().pid());
    final var compression = settings.text("compression", null);
    if (compression == null) {
      producer.setCompressMsgBodyOverHowmuch(Integer.MAX_VALUE);
    } else {
      producer.setCompressType(CompressionType.of(compression));
      producer.setCompressMsgBodyOverHowmuch(1);
    }
    batch = compression == null ? settings.number("batch", 32) : 1;
  }

  public static void main(final String[] arguments) throws Exception {
    final var produce = new Produce(new Settings(arguments));
    produce.run();
    Settings.end();
  }

  private void run() throws Exception {
    producer.start();
    queues = producer.fetchPublishMessageQueues(topic);
    queues.sort(null);
    waiting = new ArrayList<>();
    for (final var ignored : queues) {
      waiting.add(new ArrayList<>(batch));
    }
    final var from = settings.text("from", null);
    if ("-".equals(from)) {
      each();
      return;
    }
    final var began = System.nanoTime();
    final var cpu = Settings.cpuMs();
    if (from == null) {
      generated();
    } else {
      for (final var line : Files.readAllLines(Path.of(from))) {
        add(line);
      }
    }
    for (int queue = 0; queue < queues.size(); queue++) {
      send(queue);
    }
    final var ms = (System.nanoTime() - began) / 1_000_000;
    final var spent = Settings.cpuMs() - cpu;
    Settings.tell(String.format("{\"sent\":%d,\"ms\":%d,\"cpu_ms\":%d}", sent, ms, spent));
  }

  /** Sends what comes, and tells of each where it lies. */
  private void each() throws Exception {
    Settings.tell("{\"ready\":true}");
    final var input =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      final var message = message(line);
      final SendResult result = producer.send(message, queues.get(queue(message)));
      Settings.tell(
          String.format(
              "{\"queue\":%d,\"offset\":%d,\"id\":\"%s\"}",
              result.getMessageQueue().getQueueId(),
              result.getQueueOffset(),
              result.getMsgId()));
    }
  }

  /** Each device is told of once before one is told of again, and is on a new channel each time. */
  private void generated() throws Exception {
    final var count = settings.number("count", 1_000);
    final var devices = settings.number("devices", 100);
    final var now = System.currentTimeMillis();
    for (int number = 0; number < count; number++) {
      final var device = number % devices;
      final var round = number / devices;
      final var type = round % 2 == 0 ? "connect" : "tcpclean";
      add(
          String.format(
              "{\"clientId\":\"GID_made@@@dev-%06d\",\"time\":%d,\"eventType\":\"%s\","
                  + "\"channelId\":\"%012x%04x\",\"clientIp\":\"203.0.113.7:50001\"}",
              device, now + number / 50, type, device, round / 2));
    }
  }

  private void add(final String line) throws Exception {
    final var message = message(line);
    final var queue = queue(message);
    waiting.get(queue).add(message);
    if (waiting.get(queue).size() >= batch) {
      send(queue);
    }
  }

  private void send(final int queue) throws Exception {
    final var messages = waiting.get(queue);
    if (messages.size() == 1) {
      producer.send(messages.get(0), queues.get(queue));
    } else if (!messages.isEmpty()) {
      producer.send(messages, queues.get(queue));
    }
    sent += messages.size();
    messages.clear();
  }

  private Message message(final String line) {
    JSONObject notice = null;
    try {
      notice = JSON.parseObject(line);
    } catch (final RuntimeException foreign) {
      // Sent all the same: what is to be read may be anything.
    }
    final var type = notice == null ? null : notice.getString("eventType");
    final var client = notice == null ? null : notice.getString("clientId");
    var body = line;
    if (!pad.isEmpty() && notice != null) {
      notice.put("remark", pad);
      body = notice.toString();
    }
    final var tag = settings.text("tag", type == null ? "" : type);
    final var key = client == null ? "" : client;
    return new Message(topic, tag, key, body.getBytes(StandardCharsets.UTF_8));
  }

  private int queue(final Message message) {
    final var how = settings.text("queue", "hash");
    switch (how) {
      case "hash":
        return Math.floorMod(message.getKeys().hashCode(), queues.size());
      case "round":
        next = (next + 1) % queues.size();
        return next;
      default:
        return Integer.parseInt(how);
    }
  }
}
