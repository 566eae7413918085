// Judges who is online as the vendor's published sample does, in our own words: its rules, and its flaws.
//
// It consumes `connect` and `tcpclean`, not `disconnect`, with the official push consumer. In a map of memory it
// keeps, by client and channel, the kinds of notices that it has seen; two of one kind are one. A channel with an
// opening and anything else is complete and forgotten, a client without channels too. A client is online if any
// channel holds nothing but its opening. Times are kept and never compared. One thread takes in while others
// look: what fails is consumed again later.
//
// server=HOST:PORT topic=T group=G   what to consume; a new group begins with the first message
// count=N                            end after so many, else with the end of standard input
// threads=20                         that take in, as the official consumer does
// answers=FILE                       where to write what it believes at the end: `ID online|offline` a line
//
// Says `{"ready":true}`, and ends with a JSON line:
// `{"messages":N,"again":N,"clients":N,"online":N,"ms":...,"cpu_ms":...}`. Here `clients` counts those that have a
// notice left: all others are offline to it, like those that it has never heard of.

import com.alibaba.fastjson2.JSON;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyContext;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.common.message.MessageExt;

public final class Sample {
  /** What was said of a channel. Address and time are kept, and play no part in what is the same. */
  private static final class Notice {
    final String channel;
    final String type;
    final String address;
    final long time;

    Notice(final String channel, final String type, final String address, final long time) {
      this.channel = channel;
      this.type = type;
      this.address = address;
      this.time = time;
    }

    @Override
    public boolean equals(final Object other) {
      return other instanceof Notice
          && Objects.equals(channel, ((Notice) other).channel)
          && Objects.equals(type, ((Notice) other).type);
    }

    @Override
    public int hashCode() {
      return Objects.hash(channel, type);
    }
  }

  private final int wanted;
  /** All that were ever told of, by the key of their messages, if somebody asks at the end. */
  private final Set<String> clients;
  private final AtomicLong count = new AtomicLong();
  private final AtomicLong again = new AtomicLong();
  private final CountDownLatch all = new CountDownLatch(1);
  private volatile long began;
  private volatile long beganCpu;
  /** By client, then by channel. */
  private final Map<String, Map<String, Set<Notice>>> kept = new HashMap<>();

  private Sample(final int wanted, final boolean remembersClients) {
    this.wanted = wanted;
    clients = remembersClients ? ConcurrentHashMap.newKeySet() : null;
  }

  private synchronized void add(final String client, final Notice notice) {
    kept.computeIfAbsent(client, id -> new HashMap<>())
        .computeIfAbsent(notice.channel, id -> new HashSet<>())
        .add(notice);
  }

  /** Reads without a lock, as the sample does. */
  private Set<Notice> get(final String client, final String channel) {
    final var channels = kept.get(client);
    return channels == null ? null : channels.get(channel);
  }

  private synchronized void delete(final String client, final String channel) {
    final var channels = kept.get(client);
    if (channels != null) {
      channels.remove(channel);
      if (channels.isEmpty()) {
        kept.remove(client);
      }
    }
  }

  /** Takes one notice in. Throws whatever goes wrong. */
  private void take(final byte[] body) {
    final var read = JSON.parseObject(body);
    final var client = read.getString("clientId");
    final var channel = read.getString("channelId");
    final var type = read.getString("eventType");
    final var notice =
        new Notice(channel, type, read.getString("clientIp"), read.getLongValue("time"));
    add(client, notice);
    final var notices = get(client, channel);
    if (notices == null || notices.isEmpty()) {
      return;
    }
    var opened = false;
    var other = false;
    for (final var one : notices) {
      if ("connect".equals(one.type)) {
        opened = true;
      } else {
        other = true;
      }
    }
    if (opened && other) {
      delete(client, channel);
    }
  }

  private boolean isOnline(final String client) {
    final var channels = kept.get(client);
    if (channels == null) {
      return false;
    }
    for (final var notices : channels.values()) {
      if (notices.stream().allMatch(one -> "connect".equals(one.type))) {
        return true;
      }
    }
    return false;
  }

  /** Answers what the consumer is to do with these. */
  private ConsumeConcurrentlyStatus consume(
      final List<MessageExt> messages, final ConsumeConcurrentlyContext context) {
    // Whichever thread is first: a moment more or less does not matter.
    if (began == 0) {
      beganCpu = Settings.cpuMs();
      began = System.nanoTime();
    }
    var status = ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    for (final var message : messages) {
      try {
        take(message.getBody());
      } catch (final RuntimeException failed) {
        again.incrementAndGet();
        status = ConsumeConcurrentlyStatus.RECONSUME_LATER;
      }
      if (clients != null && message.getKeys() != null) {
        clients.add(message.getKeys());
      }
    }
    if (count.addAndGet(messages.size()) >= wanted) {
      all.countDown();
    }
    return status;
  }

  private synchronized String told() {
    final var ms = (System.nanoTime() - began) / 1_000_000;
    final var cpu = Settings.cpuMs() - beganCpu;
    return String.format(
        "{\"messages\":%d,\"again\":%d,\"clients\":%d,\"online\":%d,\"ms\":%d,\"cpu_ms\":%d}",
        count.get(),
        again.get(),
        kept.size(),
        kept.keySet().stream().filter(this::isOnline).count(),
        ms,
        cpu);
  }

  /** What it would answer for every client it was told of. */
  private synchronized String answers() {
    final var lines = new StringBuilder();
    for (final var client : new TreeSet<>(clients)) {
      lines.append(client).append(isOnline(client) ? " online\n" : " offline\n");
    }
    return lines.toString();
  }

  public static void main(final String[] arguments) throws Exception {
    final var settings = new Settings(arguments);
    final var answers = settings.text("answers", null);
    final var sample = new Sample(settings.wanted(), answers != null);
    final var consumer = settings.consumer("connect||tcpclean");
    consumer.setConsumeThreadMax(settings.number("threads", 20));
    consumer.setConsumeThreadMin(settings.number("threads", 20));
    consumer.registerMessageListener((MessageListenerConcurrently) sample::consume);
    consumer.start();
    Settings.tell("{\"ready\":true}");
    settings.await(sample.all);
    final var told = sample.told();
    if (answers != null) {
      Files.writeString(Path.of(answers), sample.answers());
    }
    Settings.tell(told);
    Settings.end();
  }
}
