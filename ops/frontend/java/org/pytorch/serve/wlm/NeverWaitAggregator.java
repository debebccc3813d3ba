package org.pytorch.serve.wlm;

import java.lang.reflect.Field;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingDeque;
import java.util.concurrent.locks.ReentrantLock;
import org.pytorch.serve.job.Job;
import org.pytorch.serve.util.messages.WorkerCommands;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A batch is what the queue holds when a worker is free, up to batchSize: nobody waits for others.
 *
 * <p>TorchServe's own way lets the first request wait for maxBatchDelay, at least 1 ms. Here a lone
 * request goes at once, and while a worker is busy the next batch forms by itself.
 */
final class NeverWaitAggregator extends BatchAggregator {

    private static final Logger logger = LoggerFactory.getLogger(NeverWaitAggregator.class);

    /** One worker of a model draws at a time, as in TorchServe's own way: batches stay large. */
    private final ReentrantLock drawing;

    private final LinkedBlockingDeque<Job> queue;

    /** Takes the place of a worker's aggregator, with the jobs that it has in hand. */
    NeverWaitAggregator(BatchAggregator stock) {
        super(stock.model);
        jobs = stock.jobs;
        drawing = (ReentrantLock) read(model, "lock");
        Map<?, ?> queues = (Map<?, ?>) read(model, "jobsDb");
        @SuppressWarnings("unchecked")
        LinkedBlockingDeque<Job> data =
                (LinkedBlockingDeque<Job>) queues.get(Model.DEFAULT_DATA_QUEUE);
        queue = data;
    }

    @Override
    public void pollBatch(String worker, WorkerState state)
            throws InterruptedException, ExecutionException {
        if (model.isUseJobTicket()) {
            super.pollBatch(worker, state);
            return;
        }
        long waitMs = state == WorkerState.WORKER_MODEL_LOADED ? 0 : Long.MAX_VALUE;
        if (model.pollMgmtJob(worker, waitMs, jobs)) {
            return;
        }
        drawing.lockInterruptibly();
        try {
            draw();
        } finally {
            drawing.unlock();
        }
    }

    /** Waits for one job, and takes with it those that wait already and may share its batch. */
    private void draw() throws InterruptedException {
        Job first;
        do {
            first = queue.takeFirst();
            keep(first);
        } while (jobs.isEmpty());
        if (first.getCmd() != WorkerCommands.PREDICT) {
            return; // a description or a stream is a batch of its own
        }
        while (jobs.size() < model.getBatchSize()) {
            Job next = queue.peekFirst();
            if (next == null || next.getCmd() != WorkerCommands.PREDICT) {
                return;
            }
            if (queue.remove(next)) { // not pollFirst: a stopped worker may have put another before it
                keep(next);
            }
        }
    }

    private void keep(Job job) {
        if (job.getPayload().getClientExpireTS() <= System.currentTimeMillis()) {
            logger.warn(
                    "Drop inference request {} due to client timeout",
                    job.getPayload().getRequestId());
            return;
        }
        if (job.getJobId() == null) {
            // A client that sends before it has its answer: that answer ended the connection's session, and the id
            // with it. Without one, the whole batch would be lost.
            job.getPayload().setRequestId(UUID.randomUUID().toString());
        }
        jobs.put(job.getJobId(), job);
    }

    private static Object read(Model model, String field) {
        try {
            Field found = Model.class.getDeclaredField(field);
            found.setAccessible(true);
            return found.get(model);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("Model." + field + " cannot be read", e);
        }
    }
}
