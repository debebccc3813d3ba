"""MLServer: a custom runtime; its adaptive batching joins the columns of waiting requests into one request."""

from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse

from bench.peers.rating_model import RatingModel


class Ratings(MLModel):
    """Pairs where `movie_id` is given, the best of all movies where `top_k` is."""

    async def load(self) -> bool:
        """Loads the model."""
        self.ratings = RatingModel()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """One rating per row, or the ids and ratings of the best, a row per user."""
        given = {one.name: NumpyCodec.decode_input(one).reshape(-1) for one in payload.inputs}
        if "movie_id" in given:
            found = {"rating": self.ratings.rate(given["user_id"], given["movie_id"])[:, None]}
        else:
            movies, ratings = self.ratings.best(given["user_id"], int(given["top_k"][0]))
            found = {"movie_id": movies, "rating": ratings}
        found = {name: array.astype(float).round(6) if name == "rating" else array for name, array in found.items()}
        outputs = [NumpyCodec.encode_output(name, array) for name, array in found.items()]
        return InferenceResponse(model_name=self.name, outputs=outputs)
