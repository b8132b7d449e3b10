"""What the people of the story write into their model cards, through the card's form."""

from __future__ import annotations

from demo.browser import Browser

_COMMON = {
    "relevant_factors": "Sex, age and disability. Survey respondents who answered through somebody else may be recorded less exactly.",
    "metric_choice": "A false *employed* hides somebody who should be contacted; a false *not employed* costs one letter. The threshold stays at 0.5, so that selection rates can be compared between years.",
    "ethics": "Scores must not be used about a single person. Groups of fewer than 30 people are shown and not judged.",
    "oversight": "The head of labour statistics can withdraw the model at any time; the on-call analyst is trained to do so.",
}

_EMPLOYMENT = {
    "summary": "Estimates whether a respondent of the American Community Survey in Massachusetts is employed, from age, schooling, household and citizenship, with gradient-boosted trees on the 2015 sample.",
    "primary_uses": "Imputing missing employment status before **aggregate** statistics are published. Used by the statistics office's analysts.",
    "out_of_scope": "Decisions about benefits, credit, hiring, or anything else about one person.",
    "evaluation_notes": "Public-use microdata of a later year, prepared like the training data. Massachusetts only; it says nothing about other states.",
    "training_notes": "ACS public-use microdata 2015 (US Census Bureau), 68 785 people of all ages, columns as published.",
    "limitations": "Trained on one state and one year. Children are never employed and make the task look easier than it is.",
}

_GERMAN = {
    "summary": "A scorecard for consumer credit: logistic regression on twenty attributes of the German credit data.",
    "primary_uses": "Teaching credit officers how a scorecard is validated.",
    "out_of_scope": "Any decision about a real applicant: the data are from 1994 and their coding is disputed.",
    "evaluation_notes": "1 000 applications, scored out of fold, so that no row is judged by a model that saw it. Too few for a conclusive verdict about groups.",
    "training_notes": "Statlog German credit (H. Hofmann, 1994; UCI, CC BY 4.0). Sex is derived from marital status and not a certain fact.",
    "limitations": "Small, old, and the code table is disputed (Groemping 2019).",
}


def write(dana: Browser, name: str, number: int) -> None:
    """Answer every required block of the card."""
    texts = _COMMON | (_GERMAN if name == "german-credit" else _EMPLOYMENT)
    dana.send(
        f"/models/{name}/{number}/card/edit/",
        [(f"block-{key}", text) for key, text in texts.items()],
    )
