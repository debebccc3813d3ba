package org.pytorch.serve.wlm;

import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.pytorch.serve.servingsdk.ModelServerEndpoint;
import org.pytorch.serve.util.ConfigManager;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives every worker a {@link NeverWaitAggregator}, from its first request on.
 *
 * <p>TorchServe's plugin SDK knows endpoints only. This one has no address: TorchServe makes it at
 * its start, and that starts a thread which looks for new workers. A worker takes seconds to load
 * its model, and the thread looks every 50 ms, so no request comes before it.
 */
public final class NeverWait extends ModelServerEndpoint {

    /** The release whose internals this package knows. */
    private static final String KNOWN_VERSION = "0.12.0";

    private static final long LOOK_EVERY_MS = 50;
    private static final Logger logger = LoggerFactory.getLogger(NeverWait.class);
    private static final AtomicBoolean started = new AtomicBoolean();

    /** TorchServe makes one for each kind of endpoint; the first alone starts the thread. */
    public NeverWait() {
        if (!started.compareAndSet(false, true)) {
            return;
        }
        String version = ConfigManager.getInstance().getVersion();
        if (!KNOWN_VERSION.equals(version)) {
            logger.warn(
                    "Requests wait for maxBatchDelay: the never-wait plugin knows TorchServe {}, this is {}.",
                    KNOWN_VERSION,
                    version);
            return;
        }
        Thread thread = new Thread(NeverWait::watch, "never-wait");
        thread.setDaemon(true);
        thread.start();
        logger.info("Requests do not wait for others: the never-wait plugin forms the batches.");
    }

    private static void watch() {
        while (true) {
            try {
                Thread.sleep(LOOK_EVERY_MS);
                ModelManager manager = ModelManager.getInstance();
                if (manager != null) { // null until the server has read its settings
                    equip(manager);
                }
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                logger.error("The never-wait plugin cannot reach the workers.", e);
            }
        }
    }

    private static void equip(ModelManager manager) {
        for (Map.Entry<String, ModelVersionedRefs> model : manager.getAllModels()) {
            for (Map.Entry<String, Model> version : model.getValue().getAllVersions()) {
                for (WorkerThread worker : manager.getWorkers(version.getValue().getModelVersionName())) {
                    equip(worker);
                }
            }
        }
    }

    /** Leaves a worker alone that has an aggregator of a special kind: sequences, streams of tokens. */
    private static void equip(WorkerThread worker) {
        if (worker.aggregator.getClass() == BatchAggregator.class) {
            worker.aggregator = new NeverWaitAggregator(worker.aggregator);
        }
    }
}
