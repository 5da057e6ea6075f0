import java.util.Map;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.server.policy.CreateTopicPolicy;

/** Takes topics with the cluster's own replication factor alone, as many a managed cluster does. */
public final class AsManyReplicas implements CreateTopicPolicy {
    private int factor;

    @Override
    public void configure(Map<String, ?> settings) {
        factor = Integer.parseInt(settings.get("default.replication.factor").toString());
    }

    @Override
    public void validate(RequestMetadata asked) {
        if (asked.replicationFactor() != null && asked.replicationFactor() != factor) {
            throw new PolicyViolationException("replication factor must be " + factor);
        }
    }

    @Override
    public void close() {}
}
