// Consumes by the official push consumer, as a business application does, with a listener that only counts.
//
// server=HOST:PORT topic=T group=G   what to consume; a new group begins with the first message
// tags=*                             which
// count=N                            end after so many, else with the end of standard input
//
// Says `{"ready":true}` when it has queues, and ends with a JSON line: how many came and how many of these were
// different ones, the time from the first to the last in ms, the CPU time of the process meanwhile, and the
// offset that the group has committed, by queue:
// `{"messages":N,"different":N,"ms":...,"cpu_ms":...,"committed":{"0":...}}`.

import java.util.List;
import java.util.Set;
import java.util.StringJoiner;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyContext;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.store.ReadOffsetType;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

public final class Consume {
  /** Where each message lies is only kept of few: it is no part of what an empty listener costs. */
  private static final int FEW = 100_000;
  private static final long DONE_MAX_MS = 10_000;

  private final int wanted;
  private final Set<Long> places;
  private final AtomicLong count = new AtomicLong();
  private final CountDownLatch all = new CountDownLatch(1);
  private volatile long began;
  private volatile long beganCpu;
  private volatile long ended;
  private volatile long endedCpu;

  private Consume(final int wanted) {
    this.wanted = wanted;
    places = wanted > FEW && wanted < Integer.MAX_VALUE ? null : ConcurrentHashMap.newKeySet();
  }

  public static void main(final String[] arguments) throws Exception {
    final var settings = new Settings(arguments);
    final var consume = new Consume(settings.wanted());
    final var consumer = settings.consumer(settings.text("tags", "*"));
    consumer.registerMessageListener((MessageListenerConcurrently) consume::take);
    consumer.start();
    final var topic = settings.text("topic");
    while (queues(consumer, topic).isEmpty()) {
      Thread.sleep(10);
    }
    Settings.tell("{\"ready\":true}");
    settings.await(consume.all);
    consume.stop();
    Settings.tell(consume.told(committed(consumer, topic)));
    Settings.end();
  }

  private ConsumeConcurrentlyStatus take(
      final List<MessageExt> messages, final ConsumeConcurrentlyContext context) {
    final var before = count.getAndAdd(messages.size());
    if (before == 0) {
      beganCpu = Settings.cpuMs();
      began = System.nanoTime();
    }
    if (places != null) {
      for (final var message : messages) {
        places.add(((long) message.getQueueId() << 48) + message.getQueueOffset());
      }
    }
    if (before < wanted && before + messages.size() >= wanted) {
      stop();
      all.countDown();
    }
    return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
  }

  private synchronized void stop() {
    if (ended == 0) {
      ended = System.nanoTime();
      endedCpu = Settings.cpuMs();
    }
  }

  private String told(final String committed) {
    return String.format(
        "{\"messages\":%d,\"different\":%s,\"ms\":%d,\"cpu_ms\":%d,\"committed\":%s}",
        count.get(),
        places == null ? null : places.size(),
        (ended - began) / 1_000_000,
        endedCpu - beganCpu,
        committed);
  }

  /** The queues of the topic that are ours. */
  private static TreeSet<MessageQueue> queues(
      final DefaultMQPushConsumer consumer, final String topic) {
    final var inner = consumer.getDefaultMQPushConsumerImpl();
    final var queues = new TreeSet<>(inner.getRebalanceImpl().getProcessQueueTable().keySet());
    queues.removeIf(queue -> !queue.getTopic().equals(topic));
    return queues;
  }

  /** Commits, and returns what the broker knows then. */
  private static String committed(final DefaultMQPushConsumer consumer, final String topic)
      throws Exception {
    // The last ones are counted a moment before they are done with.
    consumer.getDefaultMQPushConsumerImpl().getConsumeMessageService().shutdown(DONE_MAX_MS);
    final var offsets = consumer.getDefaultMQPushConsumerImpl().getOffsetStore();
    final var queues = queues(consumer, topic);
    final var told = new StringJoiner(",", "{", "}");
    for (final var queue : queues) {
      final var reached = offsets.readOffset(queue, ReadOffsetType.MEMORY_FIRST_THEN_STORE);
      // What it does by itself waits for no answer.
      offsets.updateConsumeOffsetToBroker(queue, reached, false);
      final var known = offsets.readOffset(queue, ReadOffsetType.READ_FROM_STORE);
      told.add(String.format("\"%d\":%d", queue.getQueueId(), known));
    }
    return told.toString();
  }
}
