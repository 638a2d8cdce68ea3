"""Emoji by their short names: what a reaction is called on the wire, and what is typed after a colon."""

from functools import cache
from unicodedata import east_asian_width

# Only pictures that every terminal gives the same room: one character, two cells wide (the heart: one). A name after
# the first one of a picture can be typed, too; what is sent is the first.
_TABLE = """
👍 thumbsup +1 | 👎 thumbsdown -1 | ❤ heart | 😂 joy | 🎉 tada | 👀 eyes | 🚀 rocket | 😄 smile | 🙏 pray | 👏 clap
🔥 fire | 💯 100 | ✅ white_check_mark | ❌ x | 🤔 thinking_face thinking | 👋 wave
🙌 raised_hands | 💪 muscle | 👌 ok_hand | 👇 point_down | 👈 point_left | 👉 point_right | 🤞 crossed_fingers
🤝 handshake | ✊ fist | 👊 punch | 🤙 call_me_hand | ✋ raised_hand | 👐 open_hands | 💅 nail_care | 👂 ear | 🧠 brain
👄 lips
😀 grinning | 😃 smiley | 😁 grin | 😆 laughing satisfied | 😅 sweat_smile | 🤣 rofl rolling_on_the_floor_laughing
🙂 slightly_smiling_face | 😉 wink | 😊 blush | 😇 innocent | 😍 heart_eyes | 🤩 star-struck star_struck
😘 kissing_heart | 😋 yum | 😛 stuck_out_tongue | 😜 stuck_out_tongue_winking_eye | 🤗 hugs hugging_face
🤫 shushing_face | 😐 neutral_face | 😑 expressionless | 😶 no_mouth | 😏 smirk | 😒 unamused
🙄 roll_eyes face_with_rolling_eyes | 😬 grimacing | 😌 relieved | 😔 pensive | 😪 sleepy | 🤤 drooling_face
😴 sleeping | 😷 mask | 🤢 nauseated_face | 🤧 sneezing_face | 😵 dizzy_face | 🤯 exploding_head | 🤠 cowboy_hat_face
🥳 partying_face | 😎 sunglasses | 🤓 nerd_face | 😕 confused | 😟 worried | 😮 open_mouth | 😲 astonished | 😳 flushed
🥺 pleading_face | 😨 fearful | 😰 cold_sweat | 😥 disappointed_relieved | 😢 cry | 😭 sob | 😱 scream | 😞 disappointed
😓 sweat | 😩 weary | 😫 tired_face | 🥱 yawning_face | 😤 triumph | 😡 rage | 😠 angry | 😈 smiling_imp | 💀 skull
💩 hankey poop | 🤡 clown_face | 👻 ghost | 👽 alien | 🤖 robot robot_face | 🙈 see_no_evil | 🙉 hear_no_evil
🙊 speak_no_evil | 🤷 shrug person_shrugging | 🤦 facepalm person_facepalming | 🙇 bow
🙋 person_raising_hand raising_hand
💔 broken_heart | 🧡 orange_heart | 💛 yellow_heart | 💚 green_heart | 💙 blue_heart | 💜 purple_heart | 🖤 black_heart
💖 sparkling_heart | 💕 two_hearts | 💥 boom collision | ✨ sparkles | ⭐ star | 🌟 star2 glowing_star | 💫 dizzy
⚡ zap | 🌈 rainbow | 💧 droplet | 🌊 ocean | 🌙 crescent_moon | 🌍 earth_africa
🐶 dog | 🐱 cat | 🐭 mouse | 🐰 rabbit | 🦊 fox_face | 🐻 bear | 🐼 panda_face | 🐨 koala | 🦁 lion_face lion | 🐷 pig
🐸 frog | 🐵 monkey_face | 🐔 chicken | 🐧 penguin | 🐦 bird | 🦆 duck | 🦉 owl | 🐝 bee honeybee | 🐛 bug
🦋 butterfly | 🐌 snail | 🐢 turtle | 🐍 snake | 🐙 octopus | 🦀 crab | 🐟 fish | 🐳 whale | 🐬 dolphin | 🐘 elephant
🦄 unicorn unicorn_face | 🌹 rose | 🌻 sunflower | 🌷 tulip | 🌱 seedling | 🌲 evergreen_tree | 🌵 cactus
🍀 four_leaf_clover | 🍄 mushroom
🍎 apple | 🍌 banana | 🍋 lemon | 🍓 strawberry | 🍇 grapes | 🍉 watermelon | 🍒 cherries | 🥑 avocado | 🍅 tomato
🥕 carrot | 🌽 corn | 🍞 bread | 🧀 cheese cheese_wedge | 🍳 egg | 🍕 pizza | 🍔 hamburger | 🍟 fries | 🌮 taco
🍣 sushi | 🍜 ramen | 🍚 rice | 🍪 cookie | 🍰 cake | 🎂 birthday | 🍫 chocolate_bar | 🍿 popcorn | 🍨 ice_cream
🍩 doughnut | ☕ coffee | 🍵 tea | 🍺 beer | 🍻 beers | 🍷 wine_glass | 🍸 cocktail | 🥂 clinking_glasses
⚽ soccer | 🏀 basketball | 🏈 football | 🎾 tennis | 🏆 trophy | 🎯 dart | 🎲 game_die | 🎮 video_game | 🎸 guitar
🎵 musical_note | 🎶 notes | 🎧 headphones | 🎤 microphone | 🎨 art | 🎬 clapper | 🎥 movie_camera | 📷 camera | 📺 tv
📻 radio
🚗 car | 🚌 bus | 🚋 train | 🚲 bike | 🚢 ship | ⚓ anchor | 🏠 house | 🏢 office | 🏫 school | 🏥 hospital | ⛺ tent
🧭 compass
💡 bulb | 💻 computer | 📱 iphone | 🔋 battery | 🔌 electric_plug | 🔍 mag | 🔒 lock | 🔓 unlock | 🔑 key | 🔨 hammer
🔧 wrench | 🔩 nut_and_bolt | 📌 pushpin | 📎 paperclip | 🔗 link | 📝 memo pencil | 📖 book | 📚 books | 📰 newspaper
📆 calendar | 📅 date | 📈 chart_with_upwards_trend | 📉 chart_with_downwards_trend | 📊 bar_chart | 📋 clipboard
📦 package | 📫 mailbox | 🔔 bell | 🔕 no_bell | 📣 mega | 📢 loudspeaker | ⌛ hourglass | ⏰ alarm_clock | ⌚ watch
💰 moneybag | 🎁 gift | 🎈 balloon | 🎊 confetti_ball | 💎 gem | 👑 crown | 💼 briefcase | 🎒 school_satchel
👓 eyeglasses | 🚽 toilet | 🧼 soap | 🧹 broom | 💊 pill | 💉 syringe | 🔬 microscope | 🔭 telescope | 📡 satellite
💣 bomb
❎ negative_squared_cross_mark | ⛔ no_entry | 🚫 no_entry_sign | ❓ question | ❗ exclamation
🔄 arrows_counterclockwise | 🔜 soon | 🔝 top | 🆕 new | 🆗 ok | 🆒 cool | 🆓 free | 🆘 sos | 🆙 up | 🔴 red_circle
🟠 orange_circle | 🟡 yellow_circle | 🟢 green_circle | 🔵 large_blue_circle | ⚪ white_circle | ⚫ black_circle
🏁 checkered_flag | 🚩 triangular_flag_on_post | 🚧 construction | 🚨 rotating_light | 🚥 traffic_light | 🛑 stop_sign
💤 zzz | 💬 speech_balloon | 💭 thought_balloon
"""


def picture(name: str) -> str:
    """Return the picture of a short name; `:name:` where there is none here."""
    return _pictures().get(name) or f":{name}:"


def in_column(name: str) -> str:
    """Return the picture of a short name for a list: with a space where it is narrower than the others."""
    shown = picture(name)
    return shown if east_asian_width(shown[0]) == "W" else f"{shown} "


def short_name(text: str) -> str | None:
    """Return the short name to send for what was typed: a name, with colons or without, or a picture; else None."""
    typed = text.strip().removesuffix("\ufe0f")
    return _names().get(typed) or _names().get(typed.strip(":").casefold())


def matching(start: str) -> list[str]:
    """Return the names that start with `start`, then those that only hold it; one for each picture."""
    typed = start.casefold()
    first: dict[str, None] = {}
    then: dict[str, None] = {}
    for name, sent in _names().items():
        if name.startswith(typed):
            first[sent] = None
        elif typed in name:
            then[sent] = None
    return [*first, *(name for name in then if name not in first)]


@cache
def _pictures() -> dict[str, str]:
    """Read the table once, when the first emoji comes."""
    rows = (item.split() for line in _TABLE.strip().splitlines() for item in line.split("|"))
    return {name: shown for shown, *names in rows for name in names}


@cache
def _names() -> dict[str, str]:
    """Return for each name and each picture the name that is sent."""
    names: dict[str, str] = {}
    first: dict[str, str] = {}
    for name, shown in _pictures().items():
        names[name] = first.setdefault(shown, name)
    return names | first
