"""TF Serving's warm-up file: requests that a server runs before it takes the first real one."""

import os

import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

WARMUP_FILE = os.path.join("assets.extra", "tf_serving_warmup_requests")


def write_warmup(directory, name, requests):
    """Writes the warm-up file of a SavedModel.

    Source: https://www.tensorflow.org/tfx/serving/saved_model_warmup.

    Args:
        directory: str, the folder of the SavedModel.
        name: str, the model's name on the server.
        requests: dict of signature name -> list of dicts of tensors.

    Raises:
        OSError: the file cannot be written.
    """
    path = os.path.join(directory, WARMUP_FILE)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with tf.io.TFRecordWriter(path) as writer:
        for signature, inputs in requests.items():
            for tensors in inputs:
                request = predict_pb2.PredictRequest()
                request.model_spec.name = name
                request.model_spec.signature_name = signature
                for key, value in tensors.items():
                    request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
                log = prediction_log_pb2.PredictionLog(
                    predict_log=prediction_log_pb2.PredictLog(request=request)
                )
                writer.write(log.SerializeToString())
