"""The words in the names of the embedded data set's movies and people."""

GENRES = (
    "Adventure", "Comedy", "Crime", "Documentary", "Drama", "Fantasy", "Horror", "Musical",
    "Mystery", "Romance", "Science fiction", "War",
)  # fmt: skip
GRADES = ("All", "12", "15", "18")
COUNTRIES = ("Avaria", "Belmont", "Corvania", "Dresmark", "Estrel", "Fjordland", "Île-Verte", "Østmark")

ADJECTIVES = (
    "Amber", "Borrowed", "Brittle", "Copper", "Crooked", "Distant", "Drowsy", "Electric",
    "Forgotten", "Frozen", "Gentle", "Hollow", "Invisible", "Ivory", "Jealous", "Lopsided",
    "Marbled", "Midnight", "Nameless", "Paper", "Patient", "Quiet", "Restless", "Salted", "Scarlet",
    "Seventh", "Silver", "Tangled", "Thirsty", "Velvet",
)  # fmt: skip
NOUNS = (
    "Almanac", "Beekeeper", "Carousel", "Cartographer", "Clockmaker", "Comet", "Ferry", "Gardener",
    "Glacier", "Harvest", "Lantern", "Lighthouse", "Locksmith", "Meridian", "Monsoon",
    "Nightingale", "Orchard", "Pilgrim", "Quarry", "Radio", "Satellite", "Schoolroom", "Sparrow",
    "Staircase", "Telegram", "Timetable", "Violin", "Voyage", "Winter", "Zeppelin",
)  # fmt: skip

FIRST_NAMES = (
    "Ada", "Bruno", "Célia", "Dag", "Elif", "Farid", "Gita", "Håkon", "Ines", "Jonas", "Kaja",
    "Lucía", "Mio", "Nils", "Orla", "Pavel", "Renée", "Søren", "Tomasz", "Yara",
)  # fmt: skip
LAST_NAMES = (
    "Abelard", "Bergström", "Castellan", "Dubrovin", "Eklund", "Fairweather", "Grünwald",
    "Halloran", "Ibáñez", "Jansen", "Kowalczyk", "Lindqvist", "Marchetti", "Novák", "Okafor",
    "Petrossian", "Quintero", "Rasmussen", "Szabó", "Thorne",
)  # fmt: skip
